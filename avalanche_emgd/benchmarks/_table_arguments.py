"""Arguments of tables, checked before a library that reads tables is loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ._test_share import check_test_share

__all__ = ["SUFFIXES", "check_table_file", "check_test_rows"]

SUFFIXES = (".csv", ".parquet")
"""Endings of the files that can be read."""


def check_table_file(path: Path, name: str) -> None:
    """Check that a path is that of a table.

    :param name: of the argument, for messages.
    :raises FileNotFoundError: if nothing is there.
    :raises ValueError: if it is no file, or has another ending.
    """
    what = f"`{name}` {str(path)!r}"
    if path.is_dir() or path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"{what} must be a table, in a file that ends with {' or '.join(SUFFIXES)}."
        )
    if not path.exists():
        raise FileNotFoundError(f"{what} is not there.")
    if not path.is_file():
        raise ValueError(f"{what} is not a file.")


def check_test_rows(table: Any, test_table: Any, share: Any) -> float:
    """Check that the rows for testing are said once.

    :param table: with the training rows, and perhaps those for testing.
    :param test_table: with the rows for testing, or ``None``.
    :param share: of the rows for testing, or ``None``.
    :return: the share; 0 if there is none.
    :raises ValueError: if both are given or none, the share is out of range, or the tables are one.
    """
    if test_table is None:
        if share is None:
            raise ValueError(
                "`test_share` is needed, such as 0.2, or `test_table`: say which rows are for "
                "testing."
            )
        return check_test_share(share)
    if share is not None:
        raise ValueError(
            "`test_share` and `test_table` both say which rows are for testing: give one of them."
        )
    paths = [each for each in (table, test_table) if isinstance(each, (str, os.PathLike))]
    there = len(paths) == 2 and all(Path(path).exists() for path in paths)
    if table is test_table or (there and os.path.samefile(*paths)):
        raise ValueError(
            "`test_table` is `table` itself: give another, or divide it with `test_share`."
        )
    return 0.0
