"""Cells of CSV files that spreadsheets show as text.

A spreadsheet computes a cell that begins with ``=``, ``+``, ``-`` or ``@``. The names of classes,
files and methods come from data and files of others, and a formula can start a program.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._text_files import writable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_text", "with_text_cells"]

# Spreadsheets that trim a cell find the sign behind blanks. Wide signs are those of East Asia.
_FORMULA = re.compile(r"[\s']*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def as_text(cell: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would compute.

    Numbers stay. An apostrophe before a formula gets another, so that different texts remain
    different. Characters that cannot be encoded become escapes.

    :param cell: text of a cell.
    """
    text = writable(cell)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def with_text_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts and names of columns are none that a spreadsheet would compute.

    :param table: table; it is not changed.
    """

    def safe(cell: object) -> object:
        return as_text(cell) if isinstance(cell, str) else cell

    texts = table.select_dtypes(exclude=["number", "bool"]).columns
    return table.assign(**{name: table[name].map(safe) for name in texts}).rename(columns=safe)
