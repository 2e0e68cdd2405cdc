"""Callbacks of those plugins only that have them; others need no call at each tick."""

from __future__ import annotations

from typing import Any

from avalanche.core import BasePlugin, BaseSGDPlugin, SupervisedPlugin
from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin

__all__ = ["Callbacks", "has_callback"]

# The callbacks of these classes do nothing.
_BASES = (BasePlugin, BaseSGDPlugin, SupervisedPlugin, PluginMetric, BaseLogger)


class Callbacks:
    """The plugins that have a callback, by event.

    A change of the list of plugins is noticed. One of the metrics of an evaluator is not.
    """

    def __init__(self) -> None:
        # With references to the plugins, so that `id()` values are not reused.
        self._plugins: list[Any] = []
        self._ids: list[int] = []
        self._having: dict[str, list[Any]] = {}

    def trigger(self, strategy: Any, event: str, **kwargs: Any) -> None:
        """Call the callbacks of a strategy's plugins for an event, in their order.

        :param strategy: first argument of the callbacks.
        :param event: name of the callback.
        :param kwargs: further arguments of the callbacks.
        """
        if list(map(id, strategy.plugins)) != self._ids:
            self._plugins, self._having = list(strategy.plugins), {}
            self._ids = list(map(id, self._plugins))
        having = self._having.get(event)
        if having is None:
            having = [plugin for plugin in self._plugins if has_callback(plugin, event)]
            self._having[event] = having
        for plugin in having:
            getattr(plugin, event)(strategy, **kwargs)


def has_callback(plugin: Any, event: str) -> bool:
    """Whether a plugin has a callback for an event.

    An evaluator has a callback if one of its metrics or loggers has it.

    :param plugin: plugin, metric or logger.
    :param event: name of the callback.
    """
    method = getattr(type(plugin), event, None)
    if event in vars(plugin) or (method is not None and not _does_nothing(method, event)):
        return True
    if isinstance(plugin, EvaluationPlugin):
        return any(has_callback(each, event) for each in [*plugin.metrics, *plugin.loggers])
    return method is None and hasattr(plugin, event)  # provided by `__getattr__`


def _does_nothing(method: Any, event: str) -> bool:
    return any(method is getattr(base, event, None) for base in _BASES)
