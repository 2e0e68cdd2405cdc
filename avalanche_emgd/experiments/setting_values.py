"""Checks of the values of settings against their declarations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from .._near import did_you_mean
from .._text_files import check_text, excerpt
from .setting import Declaration, declared

__all__ = ["as_kind", "check_settings"]

_MOST = 2**31 - 1  # largest whole number; all libraries below take it
_ACCEPTED: dict[type, tuple[type, str]] = {
    str: (str, "text"),
    bool: (bool, "true or false"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
}


def check_settings(config: Any) -> None:
    """Check the settings of a configuration, and convert each to its kind.

    :param config: frozen dataclass whose fields are declared with
        :class:`~avalanche_emgd.experiments.setting.Setting`.
    :raises ValueError: if a value is of the wrong kind or out of range; the message names the
        setting.
    """
    for name, declaration in declared(type(config)).items():
        object.__setattr__(config, name, _checked(declaration, getattr(config, name)))


def _checked(declaration: Declaration, value: Any) -> Any:
    setting, name = declaration.setting, f"`{declaration.name}`"
    if value is None and declaration.optional:
        return None
    if declaration.kind is not None:
        value = as_kind(declaration.kind, value, name, setting.words)
    if declaration.choices and value not in declaration.choices:
        words, near = ", ".join(declaration.choices), did_you_mean(value, declaration.choices)
        raise ValueError(f"{name} must be one of {words}, found {excerpt(value)}.{near}")
    if declaration.kind is int:
        low, high = setting.low or 0, _MOST if setting.high is None else setting.high
        if not low <= value <= high:
            bound = f"at least {low}" if value < low else f"at most {high}"
            raise ValueError(f"{name} must be {bound}, found {excerpt(value)}.")
    elif declaration.kind is float and not _within(declaration, value):
        words = setting.words or _range_words(declaration)
        raise ValueError(f"{name} must be {words}, found {value!r}.")
    return value if setting.check is None else setting.check(value)


def as_kind(kind: type, value: Any, name: str, words: str = "") -> Any:
    """Convert a value to the kind that a setting has.

    :param kind: ``str``, ``bool``, ``int``, ``float`` or ``list`` (of texts).
    :param value: value, where numbers may be NumPy's.
    :param name: name of the setting, for messages.
    :param words: words for the values, for messages; those for the kind if empty.
    :raises ValueError: if the value is of another kind.
    """
    if kind is list:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError(
                f"{name} must be {words or 'a list of texts'}, found {excerpt(value)}."
            )
        return tuple(as_kind(str, each, f"an entry of {name}") for each in value)
    accepted, usual = _ACCEPTED[kind]
    # In Python, truth values are whole numbers, too.
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        hint = ""
        if kind is float and isinstance(value, str):
            hint = " (YAML takes 3e-3 for text: write 0.003 or 3.0e-3)"
        raise ValueError(f"{name} must be {words or usual}, found {excerpt(value)}{hint}.")
    if isinstance(value, str):
        return check_text(value, name)
    try:
        return kind(value)
    except OverflowError:  # a whole number beyond all floating-point numbers
        return math.inf


def _within(declaration: Declaration, value: float) -> bool:
    setting = declaration.setting
    return (
        math.isfinite(value)
        and (setting.low is None or value >= setting.low)
        and (setting.high is None or value <= setting.high)
        and (setting.above is None or value > setting.above)
        and (setting.below is None or value < setting.below)
    )


def _range_words(declaration: Declaration) -> str:
    setting = declaration.setting
    least = setting.low if setting.above is None else setting.above
    most = setting.high if setting.below is None else setting.below
    if least is not None and most is not None:
        left, right = "[" if setting.above is None else "(", "]" if setting.below is None else ")"
        return f"in {left}{least:g}, {most:g}{right}"
    if most is not None:
        return f"{'at most' if setting.below is None else 'less than'} {most:g} and finite"
    if least is None:
        return "finite"
    if setting.above == 0:
        return "positive"
    return f"{'at least' if setting.above is None else 'greater than'} {least:g} and finite"
