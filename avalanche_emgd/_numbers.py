"""Kinds and ranges of numbers: one check and one wording for the arguments of all packages."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

__all__ = [
    "check_in_range",
    "check_not_negative",
    "check_positive",
    "check_whole",
    "is_number",
    "is_whole",
]


def is_whole(value: Any) -> bool:
    """Whether a value is an integer of Python or NumPy, and no boolean."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a real number, and no boolean."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_whole(name: str, value: Any, least: int) -> None:
    """Check that an argument is a whole number of at least ``least``.

    :raises ValueError: names the argument and the value.
    """
    if not is_whole(value) or value < least:
        raise ValueError(f"`{name}` must be a whole number, at least {least}, found {value!r}.")


def check_not_negative(name: str, value: Any) -> None:
    """Check that an argument is a finite number of at least 0.

    :raises ValueError: names the argument and the value.
    """
    if not is_number(value) or not 0.0 <= value < math.inf:
        raise ValueError(f"`{name}` must be at least 0 and finite, found {value!r}.")


def check_positive(name: str, value: Any) -> None:
    """Check that an argument is a finite number above 0.

    :raises ValueError: names the argument and the value.
    """
    if not is_number(value) or not 0.0 < value < math.inf:
        raise ValueError(f"`{name}` must be positive and finite, found {value!r}.")


def check_in_range(
    name: str, value: Any, low: float, high: float, *, open_above: bool = False
) -> None:
    """Check that an argument is a number in an interval.

    :param low: least value.
    :param high: largest value.
    :param open_above: whether ``high`` itself is outside.
    :raises ValueError: names the argument and the value.
    """
    is_inside = is_number(value) and low <= value <= high and not (open_above and value == high)
    if not is_inside:
        bracket = ")" if open_above else "]"
        raise ValueError(f"`{name}` must be in [{low:g}, {high:g}{bracket}, found {value!r}.")
