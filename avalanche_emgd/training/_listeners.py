"""Plugins that have a callback for an event; only these are called at each tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from avalanche.core import BasePlugin, BaseSGDPlugin, SupervisedPlugin
from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin

__all__ = ["Listeners"]

# Their callbacks do nothing.
_BASES = (BasePlugin, BaseSGDPlugin, SupervisedPlugin, PluginMetric, BaseLogger)


class Listeners:
    """Finds the plugins that have a callback for an event, and remembers them.

    An evaluator has one if a metric or a logger of it has. Looks again whenever the list of plugins
    has changed, or after :meth:`forget`.
    """

    def __init__(self) -> None:
        self._plugins: list[Any] = []  # references, so that `id()` values are not reused
        self._identities: list[int] = []
        self._found: dict[str, list[Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return vars(Listeners())  # identities are those of the originals

    def forget(self) -> None:
        """Look again."""
        self._found = {}

    def of(self, plugins: Sequence[Any], event: str) -> list[Any]:
        """Plugins that have a callback for the event, in their order."""
        identities = list(map(id, plugins))
        if identities != self._identities:
            self._plugins, self._identities, self._found = list(plugins), identities, {}
        found = self._found.get(event)
        if found is None:
            found = self._found[event] = [p for p in plugins if _listens(p, event)]
        return found


def _listens(plugin: Any, event: str) -> bool:
    method = getattr(type(plugin), event, None)
    if event in vars(plugin) or (method is not None and not _does_nothing(method, event)):
        return True
    if isinstance(plugin, EvaluationPlugin):
        return any(_listens(each, event) for each in [*plugin.metrics, *plugin.loggers])
    return method is None and hasattr(plugin, event)  # made on demand


def _does_nothing(method: Any, event: str) -> bool:
    return any(method is getattr(base, event, None) for base in _BASES)
