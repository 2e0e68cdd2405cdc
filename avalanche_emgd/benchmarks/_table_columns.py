"""Conversion of table columns into numbers, class labels or tasks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .._text_files import excerpt

__all__ = ["Column", "Float", "categories", "numbers"]

Float = np.ndarray[Any, np.dtype[np.float64]]
_MISSING = {"", "na", "n/a", "nan", "<na>", "null", "none", "?"}
_NO_NUMBER = {*_MISSING, "inf", "+inf", "-inf"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_FILL = "fill it in, or leave the row out"
_CATEGORIES = "its values must be whole numbers or text, such as the names of classes"


@dataclass(frozen=True)
class Column:
    """Values of a column, with its description for error messages.

    :param values: Arrow array of N values.
    :param table: description of the table, the beginning of error messages.
    :param name: name of the column.
    :param is_text: whether numbers are written as text, as in a CSV file.
    :param first_row: number of the first row, for error messages.
    """

    values: Any
    table: str
    name: str
    is_text: bool
    first_row: int = 1

    def error(self, found: str, remedy: str, row: int | None = None) -> ValueError:
        """Make an error that names the column, and the row if given."""
        where = "" if row is None else f" in row {row + self.first_row}"
        return ValueError(
            f"{self.table} has {found} in the column {excerpt(self.name)}{where}: {remedy}."
        )

    def check_complete(self) -> None:
        """Check that no value is missing.

        :raises ValueError: if a value is missing; the message names the first such row.
        """
        if self.values.null_count:
            raise self.error("no value", _FILL, pc.index(pc.is_null(self.values), True).as_py())


def numbers(column: Column, remedy: str) -> Float:
    """Convert a column into numbers, ``[N]``.

    :param remedy: advice for a column without numbers, the end of the error message.
    :raises ValueError: if a value is missing, not a number or not finite; the message names the
        row.
    """
    values, kind = column.values, column.values.type
    column.check_complete()
    if column.is_text:
        found = _parsed(column, remedy)
    elif _is_numeric(kind) or pa.types.is_decimal(kind):
        found = _as_float(values)
    else:
        raise column.error("text" if _is_text(kind) else f"values of type {kind}", remedy)
    bad = np.flatnonzero(~np.isfinite(found))
    if len(bad):
        row = int(bad[0])
        if np.isnan(found[row]):
            raise column.error("no value", _FILL, row)
        raise column.error(f"{values[row].as_py()!r}", "replace it, or leave the row out", row)
    return found


def _as_float(values: Any) -> Float:
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    found: Float = values.to_numpy().astype(np.float64)
    return found


def _parsed(column: Column, remedy: str) -> Float:
    trimmed = pc.utf8_trim_whitespace(column.values)
    for kind in (pa.float64(), pa.bool_()):
        with suppress(pa.ArrowInvalid):
            return _as_float(trimmed.cast(kind))
    row, value = next(
        (row, value) for row, value in enumerate(trimmed.to_pylist()) if not _is_number(value)
    )
    if value.lower() in _MISSING:
        raise column.error("no value", _FILL, row)
    raise column.error(f"{excerpt(value, 40)}, which is no number,", remedy, row)


def _is_number(text: str) -> bool:
    try:
        pa.scalar(text).cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def categories(columns: Sequence[Column]) -> tuple[list[list[int]], dict[int, str]]:
    """Assign numbers to the values of a column that several tables have.

    :param columns: the column in the training table, and in the test table if there is one.
    :return: for each table, the numbers of all rows; then the names of the numbers. Whole numbers
        stand for themselves; text is numbered in alphabetical order.
    :raises ValueError: if a value is missing, or the column has neither whole numbers nor text.
    """
    texts = [_as_text(column) for column in columns]
    values = pc.unique(pa.chunked_array([chunk for text in texts for chunk in text.chunks]))
    words = values.to_pylist()
    others = [word for word in words if not _NUMBER.fullmatch(word)]
    if others and len(others) < len(words) and all(word.lower() in _NO_NUMBER for word in others):
        for column, text in zip(columns, texts, strict=True):
            row = pc.index(text, pa.scalar(others[0], text.type)).as_py()
            if row >= 0:
                raise column.error(f"{others[0]!r}", _FILL, row)
    wholes = {} if others else {word: _whole(word) for word in words}
    for word, whole in wholes.items():
        if whole is None:
            raise columns[0].error(f"{word}, which is no whole number,", _CATEGORIES)
    if not others and all(-(2**63) <= (whole or 0) < 2**63 for whole in wholes.values()):
        places = {word: whole or 0 for word, whole in wholes.items()}
        names = {whole: str(whole) for whole in places.values()}
    else:
        places = {word: number for number, word in enumerate(sorted(words))}
        names = {number: word for word, number in places.items()}
    lookup = np.array([places[word] for word in words], dtype=np.int64)
    found = [lookup[pc.index_in(text, value_set=values).to_numpy()].tolist() for text in texts]
    return found, names


def _whole(word: str) -> int | None:
    """Parse a whole number, with or without a decimal point; ``None`` for other numbers."""
    try:
        return int(word)
    except ValueError:
        value = float(word)
        return int(value) if math.isfinite(value) and value.is_integer() else None


def _as_text(column: Column) -> Any:
    """Convert values into text without surrounding spaces."""
    values = column.values
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not (_is_numeric(values.type) or _is_text(values.type) or pa.types.is_null(values.type)):
        raise column.error(f"values of type {values.type}", _CATEGORIES)
    column.check_complete()
    text = pc.utf8_trim_whitespace(values.cast(pa.large_string()))
    empty = pc.index(text, pa.scalar("", pa.large_string())).as_py()
    if empty >= 0:
        raise column.error("no value", _FILL, empty)
    return text


def _is_numeric(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    )


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
