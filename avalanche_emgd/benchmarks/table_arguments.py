"""Checks of the arguments of tables, before a library that reads tables is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .held_out import check_test_share

__all__ = ["SUFFIXES", "check_table_file", "check_test_rows"]

SUFFIXES = (".csv", ".parquet")
"""Extensions of the files that can be read."""


def check_table_file(path: Path, name: str) -> None:
    """Check that a path names a file with a table.

    :param name: name of the argument, for error messages.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the path is not a file, or has another extension.
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
    """Check that exactly one argument says which rows are for testing.

    :param table: table with the training rows; it also has the test rows if ``share`` is given.
    :param test_table: table with the test rows, or ``None``.
    :param share: share of the rows for testing, or ``None``.
    :return: the share; 0 with a test table.
    :raises ValueError: if both or neither are given, the share is out of range, or both tables are
        the same.
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
            "`test_table` is `table` itself: give another table, or divide it with `test_share`."
        )
    return 0.0
