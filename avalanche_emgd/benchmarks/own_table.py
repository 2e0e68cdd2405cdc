"""Parallel streams of the rows of user-defined tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Unpack

from .._options import with_defaults
from ._decoded import Decoded, decoded_once
from ._label_sets import check_random_seed
from ._ready_made import divided
from ._table_columns import Float
from ._table_files import Table
from ._table_rows import TableColumns, read_rows
from .parallel import ParallelBenchmark
from .stream_options import StreamOptions
from .table_arguments import check_test_rows
from .table_scaling import ScaledRows, Scaling, scaled
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
    overlap: float | None = None,
    **options: Unpack[StreamOptions],
) -> ParallelBenchmark:
    """Make parallel streams of the rows of a table.

    Inputs are float32 ``[F]``, the values of the F feature columns. Each column is scaled to zero
    mean and unit variance over the training rows; a constant column becomes zero. Features are
    numbers or truth values, and no value may be missing.

    Labels are whole numbers or text. Unless they are 0, 1, 2, ..., classes are numbered anew in
    ascending or alphabetical order. The benchmark's ``class_names`` are the labels in the table.

    :param table: path of a ``.csv`` file (UTF-8, commas, names of columns in the first row) or of a
        ``.parquet`` file, or a data frame.
    :param label_column: name of the column with the class of each row.
    :param task_column: name of the column with the task of each row. Its values, in order, are the
        names of the tasks. A label that several tasks share is a separate class in each task.
    :param feature_columns: names of the input columns, in this order; all columns other than
        ``label_column`` and ``task_column`` if omitted.
    :param test_table: table with the test rows; all rows of ``table`` are then training rows.
    :param test_share: share of the rows of each class (of each task) for testing, in (0, 1), drawn
        by ``seed``. Either ``test_share`` or ``test_table`` is needed.
    :param raw_features: whether to leave features unscaled.
    :param overlap: overlap of successive tasks, in [0, 1], in place of a time line.
    :param options: keyword options, see :class:`StreamOptions`; ``label_sets`` has the labels as
        given in the table. Text labels are numbered from 0 in alphabetical order.
    :raises FileNotFoundError: if a file does not exist.
    :raises ValueError: if a file is not a table, a column is missing, a value is missing or of the
        wrong kind, or arguments exclude each other. The message names the column and the row.
    """
    chosen = with_defaults(StreamOptions, options, "parallel_benchmark_from_table")
    share = check_test_rows(table, test_table, test_share)
    seed = chosen["seed"]
    check_random_seed(seed)
    if task_column is not None and chosen["label_sets"] is not None:
        raise ValueError(
            "`task_column` and `label_sets` both say what the tasks are: give one of the two."
        )
    if overlap is not None and chosen["timeline"] is not None:
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
    class_names, task_sets, task_names, scaling = found.facts
    if task_sets is not None:
        chosen["label_sets"] = task_sets
    if overlap is not None:
        # Any equal lengths do, because the time line is fitted to the data.
        label_sets = chosen["label_sets"]
        number = chosen["num_tasks"] if label_sets is None else len(label_sets)
        chosen["timeline"] = Timeline.overlapping([1000] * number, overlap)
    return divided(
        ScaledRows(x_train, y_train, scaling),
        ScaledRows(x_test, y_test, scaling),
        sorted(class_names),
        chosen,
        class_names=class_names,
        task_names=task_names,
    )


def _decoded(
    tables: Sequence[Table], columns: TableColumns, share: float, seed: int, *, raw: bool
) -> Decoded:
    """Read the training rows, then the test rows, with the names of classes and tasks."""
    rows = read_rows(tables, columns, share, seed)
    inputs, scaling = _scaled(rows.features, columns.features, tables, raw=raw)
    targets = [torch.tensor(own) for own in rows.labels]
    facts = (rows.class_names, rows.label_sets, rows.task_names, scaling)
    return Decoded((inputs[0], targets[0], inputs[1], targets[1]), facts)


def _scaled(
    features: tuple[Float, Float], names: Sequence[str], tables: Sequence[Table], *, raw: bool
) -> tuple[list[Tensor], Scaling]:
    """Scale features by mean and standard deviation of the training rows.

    The divisor of the variance is N − 1, as for pixels. A constant column has the deviation 1.

    :return: training and test features, float32 ``[N, F]``, and the scaling.
    """
    train = features[0]
    mean, scale = np.zeros(train.shape[1]), np.ones(train.shape[1])
    if not raw:
        varies = train.min(axis=0) < train.max(axis=0)
        mean = np.where(varies, train.mean(axis=0), train[0])
        with np.errstate(over="ignore"):  # overflow becomes infinite, which is checked below
            scale[varies] = train[:, varies].std(axis=0, ddof=1)
    scaling = Scaling(tuple(names), tuple(mean.tolist()), tuple(scale.tolist()))
    found = []
    for values, table in zip(features, (tables[0], tables[-1]), strict=True):
        single = scaled(values, scaling.mean, scaling.std)
        bad = np.flatnonzero(~single.isfinite().all(dim=0).numpy())
        if len(bad):
            raise ValueError(
                f"{table.what} has numbers in the column {names[bad[0]]!r} that are too large for "
                "single precision: scale them down, or leave the column out."
            )
        found.append(single)
    return found, scaling
