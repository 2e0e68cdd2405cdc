"""Checks of times that a live stream waits for."""

from __future__ import annotations

from typing import Any

from ..._numbers import is_number

__all__ = ["check_seconds"]

_MOST = 1e6  # about 11 days; the longest times overflow in calls of the operating system


def check_seconds(name: str, value: Any, *, is_positive: bool = False) -> None:
    """Check that an argument is a time in seconds that can be waited for.

    :param name: name of the argument.
    :param value: value to check.
    :param is_positive: whether 0 is refused.
    :raises ValueError: if it is no number, negative, or longer than 1e6 seconds.
    """
    if not is_number(value) or not 0.0 <= value <= _MOST or (is_positive and value == 0.0):
        words = "above 0" if is_positive else "at least 0"
        raise ValueError(
            f"`{name}` must be a number of seconds, {words} and at most {_MOST:g}, found {value!r}."
        )
