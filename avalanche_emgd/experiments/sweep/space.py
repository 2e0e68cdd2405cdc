"""Ranges and choices of a search."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from ..._near import did_you_mean
from ..._text_files import check_text, excerpt

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["Choices", "Dimension", "Range", "parse_space"]

_KEYS = ("low", "high", "log", "int", "choices")
_SCALARS = (type(None), bool, int, float, str)
_MOST = 1000  # choices: a larger number is a mistake
_FORMS = (
    "{low: 0.001, high: 0.1, log: true}, {low: 1, high: 20, int: true} or {choices: [adam, sgd]}"
)


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    :param log: whether their logarithms are drawn evenly.
    :param whole: whether they are whole.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """Lowest and highest value."""
        return (self.low,) if self.low == self.high else (self.low, self.high)

    def distribution(self) -> BaseDistribution:
        """Distribution of Optuna."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def value(self, drawn: Any) -> Any:
        """Convert a value that Optuna has drawn to the value of the setting."""
        return drawn

    def to_plain(self) -> dict[str, Any]:
        """Return a mapping that :func:`parse_space` reads."""
        flags = {"log": self.log, "int": self.whole}
        return {"low": self.low, "high": self.high, **{k: v for k, v in flags.items() if v}}


@dataclass(frozen=True)
class Choices:
    """Values without an order.

    :param values: different JSON values, at least one.
    """

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values."""
        return self.values

    @property
    def _words(self) -> list[Any]:
        # Optuna stores plain values only.
        return [v if isinstance(v, _SCALARS) else json.dumps(v) for v in self.values]

    def distribution(self) -> BaseDistribution:
        """Distribution of Optuna."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self._words)

    def value(self, drawn: Any) -> Any:
        """Convert a value that Optuna has drawn to the value of the setting."""
        return self.values[self._words.index(drawn)]

    def to_plain(self) -> dict[str, Any]:
        """Return a mapping that :func:`parse_space` reads."""
        return {"choices": list(self.values)}


Dimension = Range | Choices


def parse_space(search: Any) -> dict[str, Dimension]:
    """Read the ranges and choices of a search.

    :param search: mapping from names of settings to ``{low, high}``, with ``log`` and ``int``
        (false by default), or to ``{choices: [...]}``.
    :raises ValueError: if the mapping is of another form; the message names the setting.
    """
    if not isinstance(search, Mapping) or not search:
        raise ValueError(
            f"`search` must map names of settings to ranges, such as {_FORMS}, found "
            f"{excerpt(search)}."
        )
    return {_name(name): _dimension(name, entry) for name, entry in search.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(f"`search` must have names of settings as keys, found {excerpt(name)}.")
    return check_text(name, "a key of `search`")


def _dimension(name: str, entry: Any) -> Dimension:
    where = f"`search` of {excerpt(name)}"
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where} must be a range, such as {_FORMS}, found {excerpt(entry)}.")
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise ValueError(
            f"{where} has the unknown key {excerpt(unknown[0])}: known are {', '.join(_KEYS)}."
            f"{did_you_mean(unknown[0], _KEYS)}"
        )
    if "choices" in entry:
        if len(entry) > 1:
            other = next(key for key in entry if key != "choices")
            raise ValueError(f"{where} has `choices` and {other!r}: give one of the two.")
        return _choices(where, entry["choices"])
    return _range(where, entry)


def _choices(where: str, values: Any) -> Choices:
    if not isinstance(values, list | tuple) or not 0 < len(values) <= _MOST:
        raise ValueError(
            f"{where} must have a list of 1 to {_MOST} `choices`, found {excerpt(values)}."
        )
    try:
        words = [json.dumps(value, sort_keys=True, allow_nan=False) for value in values]
    except (TypeError, ValueError, RecursionError):
        raise ValueError(
            f"{where} must have `choices` that are numbers, text, true, false, null, lists and "
            f"mappings of these, found {excerpt(values)}."
        ) from None
    for number, value in enumerate(values):
        if words.index(words[number]) < number or value in list(values[:number]):
            raise ValueError(f"{where} has the choice {excerpt(value)} twice.")
    return Choices(tuple(json.loads(word) for word in words))


def _range(where: str, entry: Mapping[str, Any]) -> Range:
    for key in ("low", "high"):
        if key not in entry:
            raise ValueError(f"{where} has no `{key}`: give {_FORMS}.")
    for key in ("log", "int"):
        if not isinstance(entry.get(key, False), bool):
            raise ValueError(
                f"{where} must have true or false as `{key}`, found {excerpt(entry[key])}."
            )
    whole, log = entry.get("int", False), entry.get("log", False)
    low, high = (_end(where, key, entry[key], whole=whole) for key in ("low", "high"))
    if low > high:
        raise ValueError(f"{where} has a `low` of {low!r}, above its `high` of {high!r}.")
    if log and low <= 0:
        raise ValueError(f"{where} has log: true, for which `low` must be positive, found {low!r}.")
    if not whole and "int" not in entry and all(isinstance(e, Integral) for e in (low, high)):
        raise ValueError(
            f"{where} has whole numbers as its ends: say int: true for whole numbers, or write "
            f"{low}.0 and {high}.0."
        )
    return Range(low if whole else float(low), high if whole else float(high), log, whole)


def _end(where: str, key: str, value: Any, *, whole: bool) -> Any:
    kind, words = (Integral, "a whole number") if whole else (Real, "a number")
    fits = isinstance(value, kind) and not isinstance(value, bool)
    if not fits or not (whole or math.isfinite(value)):
        hint = ""
        if isinstance(value, str) and not whole:
            hint = " (YAML takes 3e-3 for text: write 0.003 or 3.0e-3)"
        raise ValueError(f"{where} must have {words} as `{key}`, found {excerpt(value)}{hint}.")
    if abs(value) > 2**53:
        raise ValueError(f"{where} has a `{key}` that is too large: {excerpt(value)}.")
    return value
