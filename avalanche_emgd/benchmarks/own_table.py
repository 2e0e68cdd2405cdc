"""Parallel streams of the rows of a user's own table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from ._decoded import Decoded, decoded_once
from ._label_sets import check_random_seed
from ._ready_made import divided
from ._table_arguments import check_test_rows
from ._table_columns import Float
from ._table_files import Table
from ._table_rows import TableColumns, read_rows
from .parallel import ParallelBenchmark, Scenario
from .timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parallel_benchmark_from_table"]


def parallel_benchmark_from_table(
    table: str | Path | pd.DataFrame,
    *,
    label_column: str,
    task_column: str | None = None,
    feature_columns: Sequence[str] | None = None,
    test_table: str | Path | pd.DataFrame | None = None,
    test_share: float | None = None,
    raw_features: bool = False,
    scenario: Scenario = "class",
    seed: int = 0,
    batch_size: int = 32,
    num_tasks: int = 5,
    label_sets: Sequence[Sequence[int]] | None = None,
    timeline: Timeline | None = None,
    overlap: float | None = None,
    epochs: int = 1,
) -> ParallelBenchmark:
    """Parallel streams of the rows of a table.

    Inputs are float32 ``[F]``: the F feature columns, each with zero mean and unit variance over
    the training rows; a constant column is zero. Features are numbers or truth values, and no
    value may be missing.

    Labels are whole numbers or text. Unless they are 0, 1, 2, ... they are numbered anew in
    ascending or alphabetical order; the benchmark's ``class_names`` are those of the table.

    :param table: ``.csv`` file (UTF-8, commas, names of columns in the first row), ``.parquet``
        file, or data frame.
    :param label_column: name of the column with the class of each row.
    :param task_column: name of a column that says the task of each row; tasks are in the order of
        its values, and have their names. A label that tasks share is a class of its own in each.
    :param feature_columns: names of the columns that are inputs, in this order; all others than the
        two above if omitted.
    :param test_table: table with the rows for testing; ``table`` then has those for training.
    :param test_share: share of the rows of each class (of each task) for testing, in (0, 1), drawn
        by ``seed``; one of this and ``test_table`` is needed.
    :param raw_features: whether to leave features as they are in the table.
    :param scenario: ``"task"`` or ``"class"``.
    :param seed: of the rows for testing, of the label sets and the time line, where they are not
        given, and of the order of delivery.
    :param batch_size: samples of each task at each tick.
    :param num_tasks: number of tasks, where neither a column nor label sets say the tasks.
    :param label_sets: classes of each task, as they are in the table; of text, by alphabetical
        order from 0.
    :param timeline: is fitted to the data; random without idle gap if omitted.
    :param overlap: overlap of successive tasks, in [0, 1], in place of a time line.
    :param epochs: passes over each task's samples within its span.
    :raises FileNotFoundError: if a file is not there.
    :raises ValueError: if it is no such table, a column is not there, a value is missing or of the
        wrong kind, or arguments exclude each other; names the column and the row.
    """
    share = check_test_rows(table, test_table, test_share)
    check_random_seed(seed)
    if task_column is not None and label_sets is not None:
        raise ValueError(
            "`task_column` and `label_sets` both say what the tasks are: give one of the two."
        )
    if overlap is not None and timeline is not None:
        raise ValueError("`overlap` and `timeline` both say when tasks start: give one of the two.")
    tables = [Table(table, "table")]
    columns = TableColumns.choose(tables[0], label_column, task_column, feature_columns)
    if test_table is not None:
        tables.append(Table(test_table, "test_table"))
        columns.check(tables[1], tables[0])
    files = [each.file for each in tables if each.file is not None]

    def decode() -> Decoded:
        return _decoded(tables, columns, share, seed, raw=raw_features)

    if len(files) < len(tables):
        found = decode()
    else:
        found = decoded_once(("table", columns, share, seed, raw_features), files, decode)
    x_train, y_train, x_test, y_test = found.tensors
    class_names, task_sets, task_names = found.facts
    if task_sets is not None:
        label_sets = task_sets
    if overlap is not None:
        # In proportions: the time line is fitted to the data.
        number = num_tasks if label_sets is None else len(label_sets)
        timeline = Timeline.overlapping([1000] * number, overlap)
    return divided(
        TensorDataset(x_train, y_train),
        TensorDataset(x_test, y_test),
        sorted(class_names),
        num_tasks=num_tasks,
        label_sets=label_sets,
        timeline=timeline,
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
        epochs=epochs,
        class_names=class_names,
        task_names=task_names,
    )


def _decoded(
    tables: Sequence[Table], columns: TableColumns, share: float, seed: int, *, raw: bool
) -> Decoded:
    """Read training inputs and labels, then those of the test; names of classes, tasks."""
    rows = read_rows(tables, columns, share, seed)
    inputs = _scaled(rows.features, columns.features, tables, raw=raw)
    targets = [torch.tensor(own) for own in rows.labels]
    facts = (rows.class_names, rows.label_sets, rows.task_names)
    return Decoded((inputs[0], targets[0], inputs[1], targets[1]), facts)


def _scaled(
    features: tuple[Float, Float], names: Sequence[str], tables: Sequence[Table], *, raw: bool
) -> list[Tensor]:
    """Scale features by mean and deviation of the training rows, then to single precision.

    The deviation has the number of rows minus one, as that of pixels; a constant column has 1.
    """
    train = features[0]
    mean, scale = np.zeros(train.shape[1]), np.ones(train.shape[1])
    if not raw:
        varies = train.min(axis=0) < train.max(axis=0)
        mean = np.where(varies, train.mean(axis=0), train[0])
        with np.errstate(over="ignore"):  # what is too large is found below
            scale[varies] = train[:, varies].std(axis=0, ddof=1)
    found = []
    for values, table in zip(features, (tables[0], tables[-1]), strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            single = ((values - mean) / scale).astype(np.float32)
        bad = np.flatnonzero(~np.isfinite(single).all(axis=0))
        if len(bad):
            raise ValueError(
                f"{table.what} has numbers in the column {names[bad[0]]!r} that are too large for "
                "single precision: scale them down, or leave the column out."
            )
        found.append(torch.from_numpy(single))
    return found
