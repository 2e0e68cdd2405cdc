"""Checks of the settings of ingredients."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from ..._whole_numbers import is_whole

__all__ = ["check_at_least_one", "check_not_negative", "check_positive", "is_number"]


def is_number(value: Any) -> bool:
    """Whether a value is a real number, and no boolean."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_not_negative(name: str, value: Any) -> None:
    """Check that a setting is a finite number of at least 0.

    :raises ValueError: names the setting and the value.
    """
    if not is_number(value) or not 0.0 <= value < math.inf:
        raise ValueError(f"`{name}` must be at least 0 and finite, found {value!r}.")


def check_positive(name: str, value: Any) -> None:
    """Check that a setting is a finite number above 0.

    :raises ValueError: names the setting and the value.
    """
    if not is_number(value) or not 0.0 < value < math.inf:
        raise ValueError(f"`{name}` must be greater than 0 and finite, found {value!r}.")


def check_at_least_one(name: str, value: Any) -> None:
    """Check that a setting is a whole number of at least 1.

    :raises ValueError: names the setting and the value.
    """
    if not is_whole(value) or value < 1:
        raise ValueError(f"`{name}` must be a whole number, at least 1, found {value!r}.")
