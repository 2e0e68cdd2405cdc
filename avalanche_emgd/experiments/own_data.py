"""Settings of a run that belong to user-defined data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..benchmarks.table_arguments import check_table_file, check_test_rows
from .setting import declared

if TYPE_CHECKING:
    from .config import RunConfig

__all__ = ["check_own_data", "check_table", "settings_of"]

_KINDS = {"images": "images", "npz": "arrays", "table": "tables"}


def settings_of(config: type, kind: str) -> list[str]:
    """Return the names of the settings that are arguments of one kind of data.

    :param config: configuration that declares them.
    :param kind: name in :data:`~avalanche_emgd.experiments.data.DATA`.
    """
    return [name for name, each in declared(config).items() if kind in each.setting.own_data]


def check_own_data(config: RunConfig) -> None:
    """Refuse settings of other kinds of data, and those that exclude each other.

    :param config: configuration whose settings have the right kinds and ranges.
    :raises ValueError: if there is such a setting; the message names it.
    """
    for name, each in declared(type(config)).items():
        kinds, value = each.setting.own_data, getattr(config, name)
        if not kinds or value is None or value is False or config.benchmark in kinds:
            continue
        words = " and ".join(_KINDS[kind] for kind in kinds)
        raise ValueError(f"`{name}` is for {words} of your own, not for {config.benchmark}.")
    if config.task_column is not None:
        for name in ("num_tasks", "protocol"):
            if getattr(config, name) is not None:
                raise ValueError(
                    f"`task_column` and `{name}` both say what the tasks are: give one of them."
                )


def check_table(config: RunConfig) -> None:
    """Check the settings of a table before it is read.

    :raises FileNotFoundError: if the table with the test rows does not exist.
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
