"""Grids of settings: one entry of a study that stands for many methods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any

from .._text_files import excerpt

__all__ = ["expand_grid"]

_MOST = 1000  # combinations: a larger number is a mistake


def expand_grid(entry: Any) -> list[Any]:
    """Expand an entry of a list of methods that has a ``grid``.

    :param entry: argument of :meth:`~avalanche_emgd.experiments.method_choice.MethodChoice.parse`,
        or a mapping that also has ``grid``: a mapping from names of settings to lists of values.
    :return: entries for all combinations of the values, with their values in their names; the entry
        alone if it has no grid. All share the entry's ``settings``.
    :raises ValueError: if the grid is not such a mapping, or shares a name with ``settings``.
    """
    if not isinstance(entry, Mapping) or "grid" not in entry:
        return [entry]
    shared = {key: value for key, value in entry.items() if key != "grid"}
    grid, settings = entry["grid"], shared.get("settings") or {}
    label = shared.get("name") or shared.get("method")
    right = isinstance(grid, Mapping) and bool(grid) and isinstance(settings, Mapping)
    if not right or not all(isinstance(values, list) and values for values in grid.values()):
        raise ValueError(
            f"`grid` of {excerpt(label)} must map names of settings to lists of values, found "
            f"{excerpt(grid)}."
        )
    twice = [name for name in grid if name in settings]
    if twice:
        raise ValueError(f"`grid` of {label!r} has {twice[0]!r}, which its `settings` have, too.")
    number = prod(map(len, grid.values()))
    if number > _MOST:
        raise ValueError(f"`grid` of {label!r} has {number} combinations, more than {_MOST}.")
    entries = []
    for values in product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        words = " ".join(f"{name}={_word(value)}" for name, value in chosen.items())
        entries.append({**shared, "name": f"{label} {words}", "settings": {**settings, **chosen}})
    return entries


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
