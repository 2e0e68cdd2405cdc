"""Entries of a study's list of methods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .._text_files import check_text, excerpt

__all__ = ["MethodChoice", "as_json"]


@dataclass(frozen=True)
class MethodChoice:
    """A method with its settings, one of those that a study compares.

    :param method: name of the method, see :class:`~avalanche_emgd.experiments.RunConfig`.
    :param name: name in tables and pictures; ``method`` if ``None``.
    :param settings: settings in place of the method's defaults: names and JSON values.
    :raises ValueError: if a value is of another kind.
    """

    method: str
    name: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("method", "name"):
            value = getattr(self, key)
            if not (isinstance(value, str) and value) and (key, value) != ("name", None):
                raise ValueError(f"`{key}` of a method must be text, found {excerpt(value)}.")
            if value is not None:
                check_text(value, f"`{key}` of a method")
        kept = as_json(self.settings, f"`settings` of {self.label!r}")
        object.__setattr__(self, "settings", kept)

    @property
    def label(self) -> str:
        """Name in tables and pictures."""
        return self.name or self.method

    def with_ingredients(self, ingredients: Mapping[str, Any]) -> MethodChoice:
        """Return the choice with further settings; its own settings win.

        :param ingredients: settings that a study gives to every method.
        """
        return replace(self, settings={**ingredients, **self.settings})

    @classmethod
    def parse(cls, entry: Any) -> MethodChoice:
        """Read an entry of a list of methods.

        :param entry: a name, or a mapping with ``method`` and perhaps ``name`` and ``settings``.
        :raises ValueError: if the entry is of another kind.
        """
        if isinstance(entry, MethodChoice):
            return entry
        if isinstance(entry, str):
            return cls(entry)
        known = [f.name for f in fields(cls)]
        if not isinstance(entry, Mapping) or "method" not in entry or not set(entry) <= set(known):
            raise ValueError(
                "`methods` must list names, or mappings with `method` and perhaps `name` and "
                f"`settings`, found {excerpt(entry)}."
            )
        return cls(**entry)

    def to_plain(self) -> str | dict[str, Any]:
        """Return an entry of a list of methods that :meth:`parse` reads."""
        plain = {"method": self.method, "name": self.name, "settings": dict(self.settings)}
        given = {key: value for key, value in plain.items() if value}
        return self.method if set(given) == {"method"} else given


def as_json(settings: Any, name: str) -> dict[str, Any]:
    """Return a copy of settings, as JSON represents them.

    :param settings: mapping from names to values.
    :param name: name of the settings, for error messages.
    :raises ValueError: if it is no mapping, or a value is no JSON value.
    """
    if not isinstance(settings, Mapping):
        raise ValueError(f"{name} must map names to values, found {excerpt(settings)}.")
    try:
        kept: dict[str, Any] = json.loads(json.dumps(dict(settings), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{name} must be numbers, text, true, false, null, lists and mappings of these, found "
            f"{excerpt(dict(settings))}: {error}."
        ) from None
    return kept
