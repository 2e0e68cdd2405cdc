"""Settings of a run that belong to data of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..benchmarks._table_arguments import check_table_file, check_test_rows
from ..benchmarks._test_share import check_test_share
from ..benchmarks._text_files import excerpt
from .data import DATA

if TYPE_CHECKING:
    from .config import RunConfig

__all__ = ["OWN_DATA", "TEXTS", "check_own_data", "check_table"]

OWN_DATA: tuple[str, ...] = tuple(
    dict.fromkeys(name for data in DATA.values() for name in data.own)
)
"""Settings of data of one's own."""

TEXTS = ("label_column", "task_column", "test_table")
"""Those of them that are text."""

_KINDS = {"images": "images", "table": "tables"}


def check_own_data(config: RunConfig) -> None:
    """Refuse settings of other kinds of data, and those that exclude each other.

    :raises ValueError: if there are any, or a value is of the wrong kind or out of range.
    """
    if not isinstance(config.raw_features, bool):
        raise ValueError(
            f"`raw_features` must be true or false, found {excerpt(config.raw_features)}."
        )
    for name in OWN_DATA:
        value = getattr(config, name)
        if value is None or value is False:
            continue
        kinds = [kind for kind, data in DATA.items() if name in data.own]
        if config.benchmark not in kinds:
            words = " and ".join(_KINDS[kind] for kind in kinds)
            raise ValueError(f"`{name}` is for {words} of your own, not for {config.benchmark}.")
        if name in TEXTS and not isinstance(value, str):
            raise ValueError(f"`{name}` must be text, found {excerpt(value)}.")
    names = config.feature_columns
    if names is not None:
        texts = isinstance(names, Sequence) and not isinstance(names, str)
        if not texts or not names or not all(isinstance(name, str) for name in names):
            raise ValueError(
                f"`feature_columns` must be a list of names of columns, found {excerpt(names)}."
            )
    if config.test_share is not None:
        check_test_share(config.test_share)
    if config.task_column is not None:
        for name in ("num_tasks", "protocol"):
            if getattr(config, name) is not None:
                raise ValueError(
                    f"`task_column` and `{name}` both say what the tasks are: give one of them."
                )


def check_table(config: RunConfig) -> None:
    """Check, before a table is read, that all is said that is needed.

    :raises FileNotFoundError: if the table with the test rows is not there.
    :raises ValueError: if a setting is missing.
    """
    if config.label_column is None:
        raise ValueError(
            "`label_column` is needed for a table: the name of the column with the class of each "
            "row."
        )
    check_test_rows(config.data_root, config.test_table, config.test_share)
    if config.test_table is not None:
        check_table_file(Path(config.test_table), "test_table")
