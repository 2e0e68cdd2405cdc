"""Labelled rows of tables, divided into training and test rows, and optionally into tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._near import did_you_mean
from .._text_files import excerpt
from ._class_labels import check_classes
from ._stratified import divide
from ._table_columns import Column, Float, categories, numbers
from ._table_files import Table

__all__ = ["Rows", "TableColumns", "read_rows"]

_ENCODE = "encode it as numbers, or choose the columns that are inputs with `feature_columns`"


@dataclass(frozen=True)
class TableColumns:
    """Names of the columns in use.

    :param label: column with the class of each row.
    :param task: column with the task of each row; ``None`` without such a column.
    :param features: columns with the inputs, in their order.
    """

    label: str
    task: str | None
    features: tuple[str, ...]

    @classmethod
    def choose(cls, table: Table, label: Any, task: Any, features: Any) -> TableColumns:
        """Check the given names; by default, all remaining columns are features.

        :raises ValueError: if a column is missing or has two uses, or no feature is left.
        """
        label = table.check(label, "label_column")
        if task is not None:
            task = table.check(task, "task_column")
            if task == label:
                raise ValueError(
                    f"`task_column` {excerpt(task)} is `label_column`, too: leave it out, and say "
                    "the number of tasks with `num_tasks`."
                )
        if features is None:
            chosen = [column for column in table.columns if column not in (label, task)]
            if "" in chosen:
                place = chosen.index("") + 1
                raise ValueError(
                    f"{table.what} has a column without a name, number {place} of its features: "
                    "save the table without it if it counts the rows, or choose the input columns "
                    "with `feature_columns`."
                )
        else:
            chosen = _checked_features(
                table, features, {label: "label_column", task: "task_column"}
            )
        if not chosen:
            raise ValueError(f"{table.what} has no columns left that can be features.")
        return cls(label, task, tuple(chosen))

    def check(self, table: Table, first: Table) -> None:
        """Check that another table has these columns, too.

        :param table: the other table.
        :param first: the table from which the columns were chosen.
        :raises ValueError: if a column is missing; the message names it.
        """
        for column in (self.label, *filter(None, [self.task]), *self.features):
            if column not in table.columns:
                raise ValueError(
                    f"{table.what} has no column {excerpt(column)}, which {first.what} has."
                    f"{did_you_mean(column, table.columns)}"
                )


def _checked_features(table: Table, features: Any, used: dict[Any, str]) -> list[str]:
    if isinstance(features, str) or not isinstance(features, Sequence) or not features:
        raise ValueError(
            f"`feature_columns` must be a list of names of columns, found {excerpt(features)}."
        )
    chosen: list[str] = []
    for each in features:
        column = table.check(each, "feature_columns")
        if column in used:
            raise ValueError(
                f"`feature_columns` has {excerpt(column)}, which is `{used[column]}`: leave it out."
            )
        if column in chosen:
            raise ValueError(f"`feature_columns` has {excerpt(column)} twice: leave one out.")
        chosen.append(column)
    return chosen


@dataclass(frozen=True)
class Rows:
    """Training and test rows.

    :param features: features ``[N, F]`` of the training and of the test rows, not scaled.
    :param labels: class labels of the training and of the test rows.
    :param class_names: names of the classes by label.
    :param label_sets: classes of each task; ``None`` without a task column.
    :param task_names: names of the tasks; ``None`` without a task column.
    """

    features: tuple[Float, Float]
    labels: tuple[list[int], list[int]]
    class_names: dict[int, str]
    label_sets: list[list[int]] | None
    task_names: list[str] | None


def read_rows(tables: Sequence[Table], columns: TableColumns, share: float, seed: int) -> Rows:
    """Read the training and test rows from one or two tables.

    :param tables: one table to divide, or the training table and the test table.
    :param columns: columns to read.
    :param share: share of the rows of each class and task for testing, if there is one table.
    :param seed: seed of the division.
    :raises ValueError: if a value is missing or of the wrong kind, there is only one class, or a
        class lacks training or test rows.
    """
    found = [_Content.of(table, columns) for table in tables]
    labels, class_names = categories([each.labels for each in found])
    if len(class_names) < 2:
        raise ValueError(
            f"{tables[0].what} has one class only, {next(iter(class_names.values()))!r}, in the "
            f"column {excerpt(columns.label)}: at least two classes are needed."
        )
    label_sets, task_names = None, None
    if columns.task is not None:
        tasks, names = categories([each.tasks for each in found if each.tasks is not None])
        task_names = [names[task] for task in sorted(names)]
        _check_task_names(task_names, tables[0], columns.task)
        labels, class_names, label_sets = _by_task(labels, class_names, tasks, names)
    features = [each.features for each in found]
    if len(tables) == 1:
        rows = divide(
            labels[0],
            share,
            seed,
            lambda label: (
                f"{tables[0].what} has a single row of class {class_names[label]!r}, "
                "too few for training and testing: leave it out."
            ),
        )
        features = [features[0][own] for own in rows]
        labels = [[labels[0][row] for row in own] for own in rows]
    else:
        check_classes(labels, class_names, (tables[0].what, tables[1].what))
    return Rows(
        (features[0], features[1]), (labels[0], labels[1]), class_names, label_sets, task_names
    )


@dataclass(frozen=True)
class _Content:
    features: Float
    labels: Column
    tasks: Column | None

    @classmethod
    def of(cls, table: Table, columns: TableColumns) -> _Content:
        named = [columns.label, *([] if columns.task is None else [columns.task])]
        read = table.read([*named, *columns.features])

        def column(name: str) -> Column:
            return Column(read.column(name), table.what, name, table.is_text)

        features = np.empty((read.num_rows, len(columns.features)))
        for place, name in enumerate(columns.features):
            features[:, place] = numbers(column(name), _ENCODE)
        tasks = None if columns.task is None else column(columns.task)
        return cls(features, column(columns.label), tasks)


def _by_task(
    labels: list[list[int]],
    class_names: dict[int, str],
    tasks: list[list[int]],
    task_names: dict[int, str],
) -> tuple[list[list[int]], dict[int, str], list[list[int]]]:
    """Make the labels of tasks disjoint, with new labels if tasks share some.

    :return: labels, their names, and the label sets of the tasks in ascending order.
    """
    of_rows = [list(zip(*both, strict=True)) for both in zip(tasks, labels, strict=True)]
    pairs = sorted({pair for own in of_rows for pair in own})
    if len(pairs) == len({label for _, label in pairs}):
        numbered = {(task, label): label for task, label in pairs}
        names = class_names
    else:
        numbered = {pair: number for number, pair in enumerate(pairs)}
        names = {
            number: f"{task_names[task]}: {class_names[label]}"
            for (task, label), number in numbered.items()
        }
    found = [[numbered[pair] for pair in own] for own in of_rows]
    sets = [[numbered[pair] for pair in pairs if pair[0] == task] for task in sorted(task_names)]
    return found, names, sets


def _check_task_names(names: Sequence[str], table: Table, column: str) -> None:
    for name in names:
        if name.startswith("memory"):
            raise ValueError(
                f"{table.what} has {excerpt(name)} in the column {excerpt(column)}, which cannot "
                "name a task: names that start with 'memory' are reserved for the replay memory."
            )
