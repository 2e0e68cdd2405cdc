"""Entries of a study's list of methods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .._text_files import check_text, excerpt

__all__ = ["MethodChoice"]


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
        if not isinstance(self.settings, Mapping):
            raise ValueError(
                f"`settings` of {self.label!r} must map names to values, found "
                f"{excerpt(self.settings)}."
            )
        try:
            kept = json.loads(json.dumps(dict(self.settings), allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"`settings` of {self.label!r} must be numbers, text, true, false, null, lists and "
                f"mappings of these, found "
                f"{excerpt(dict(self.settings))}: {error}."
            ) from None
        object.__setattr__(self, "settings", kept)

    @property
    def label(self) -> str:
        """Name in tables and pictures."""
        return self.name or self.method

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
