"""Settings of strategies as text, so that a state is not loaded into another strategy."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from ..._text_files import excerpt
from .errors import StateError

__all__ = ["check_settings", "described", "settings_of"]

_MISSING: Any = object()
_DEPTH = 3  # of objects that are arguments of others


def described(value: Any, depth: int = _DEPTH) -> str:
    """Describe a setting: a plain value, or a class with those arguments that are attributes.

    Descriptions are the same in each process. State that an object gathers in training is not in
    them.

    :param value: any value.
    :param depth: number of levels of arguments to describe.
    """
    if value is None or isinstance(value, bool | str):
        return repr(value)
    for kind in (int, float):
        if isinstance(value, kind):
            return repr(kind(value))
    if isinstance(value, list | tuple):
        return f"({', '.join(described(each, depth) for each in value)})"
    if isinstance(value, type) or inspect.isroutine(value):
        return str(value.__qualname__)
    own = [] if depth == 0 else _arguments(value, depth)
    return f"{type(value).__qualname__}({', '.join(own)})"


def settings_of(strategy: Any, options: Mapping[str, Any]) -> dict[str, str]:
    """Describe the arguments of a strategy on which the course of training depends.

    :param strategy: multi-gradient strategy.
    :param options: options as they were given.
    """
    plain = ("memory_size", "memory_objectives", "train_mb_size", "train_epochs", "precision")
    made = ("memory_loss", "competition", "memory_selection", "memory_retrieval", "weighting")
    editing, averaged = strategy.memory_editing, strategy.averaged_weights
    augmented = strategy.memory_augmentation
    return {
        **{name: described(options[name]) for name in plain},
        **{name: described(getattr(strategy, name)) for name in made},
        "criterion": described(strategy._criterion),
        "memory_editing": described(None if editing is None else editing.editing),
        "memory_augmentation": described(None if augmented is None else augmented.augmentation),
        "tested_weights": described(None if averaged is None else averaged),
    }


def check_settings(state: Mapping[str, str], own: Mapping[str, str]) -> None:
    """Check that a strategy has the settings of the saved one.

    :param state: settings of the saved strategy, by the name of the argument.
    :param own: settings of the strategy that loads the state.
    :raises StateError: if one differs; the message names it.
    """
    for name in sorted(state.keys() & own.keys()):
        if state[name] != own[name]:
            raise StateError(
                f"`{name}` is {own[name]:.200}, but {_shown(state[name])} in the saved strategy: "
                "make the strategy with the same arguments."
            )


def _shown(text: Any) -> str:
    is_plain = isinstance(text, str) and text.isprintable() and text.isascii()
    return text[:200] if is_plain else excerpt(text, 200)


def _arguments(value: Any, depth: int) -> list[str]:
    """Describe the arguments of an object that it keeps under their names."""
    try:
        names = list(inspect.signature(type(value)).parameters)
    except (TypeError, ValueError):  # of a class that is not written in Python
        return []
    kept = getattr(value, "__dict__", {})
    found = {name: kept.get(name, kept.get(f"_{name}", _MISSING)) for name in names}
    return [
        f"{name}={described(each, depth - 1)}"
        for name, each in found.items()
        if each is not _MISSING and not isinstance(each, nn.Module) and _is_setting(each)
    ]


def _is_setting(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_setting, value))
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return is_plain or type(value).__module__.startswith("avalanche_emgd.")
