"""States of a strategy's plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .errors import StateError
from .reader import Reader
from .writer import KnownObjects, Writer, has_state

__all__ = ["load_plugins", "plugin_states"]


def plugin_states(strategy: Any, known: KnownObjects) -> dict[str, Any]:
    """Return the states of the plugins that have one, by their names.

    :param strategy: strategy between two ticks.
    :param known: objects that have their own place in the state.
    """
    return {
        name: state
        for name, plugin in _named_plugins(strategy)
        if (state := _state_of(plugin, known))
    }


def load_plugins(strategy: Any, states: Mapping[str, Any], reader: Reader) -> None:
    """Restore the states of :func:`plugin_states`.

    :param strategy: fresh strategy.
    :param states: states by the names of plugins.
    :param reader: reader of plain values.
    :raises StateError: if the strategy lacks a plugin.
    """
    own = dict(_named_plugins(strategy))
    for name, state in states.items():
        if name not in own:
            raise StateError(
                f"`plugins` lacks the {name.partition(' ')[0]} of the saved strategy: make the "
                "strategy with the same plugins."
            )
        plugin = own[name]
        if "protocol" in state:
            plugin.load_state_dict(reader.value(state["protocol"], None, name))
        else:
            reader.attributes(plugin, state["attributes"])


def _named_plugins(strategy: Any) -> Iterator[tuple[str, Any]]:
    """Yield the plugins with names: the class, and its number among those of the class."""
    apart = (strategy.evaluator, getattr(strategy, "averaged_weights", None))
    counts: dict[str, int] = {}
    for plugin in strategy.plugins:
        if any(plugin is each for each in apart):
            continue
        kind = type(plugin).__qualname__
        counts[kind] = counts.get(kind, 0) + 1
        yield f"{kind} {counts[kind]}", plugin


def _state_of(plugin: Any, known: KnownObjects) -> Any:
    name = type(plugin).__name__
    if has_state(plugin):
        own = plugin.state_dict()
        return {"protocol": Writer(known, name).value(own, name, 0)} if own else None
    attributes = Writer(known, name).attributes(plugin)
    return {"attributes": attributes} if attributes else None
