"""Whether a plugin has a callback for an event; only those that have are called at each tick."""

from __future__ import annotations

from typing import Any

from avalanche.core import BasePlugin, BaseSGDPlugin, SupervisedPlugin
from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin

__all__ = ["has_callback"]

# Their callbacks do nothing.
_BASES = (BasePlugin, BaseSGDPlugin, SupervisedPlugin, PluginMetric, BaseLogger)


def has_callback(plugin: Any, event: str) -> bool:
    """Whether a plugin has a callback; an evaluator, whether a metric or a logger of it has.

    :param event: name of the callback.
    """
    method = getattr(type(plugin), event, None)
    if event in vars(plugin) or (method is not None and not _does_nothing(method, event)):
        return True
    if isinstance(plugin, EvaluationPlugin):
        return any(has_callback(each, event) for each in [*plugin.metrics, *plugin.loggers])
    return method is None and hasattr(plugin, event)  # made on demand


def _does_nothing(method: Any, event: str) -> bool:
    return any(method is getattr(base, event, None) for base in _BASES)
