"""Check whether a plugin has a callback for an event; others need no call at each tick."""

from __future__ import annotations

from typing import Any

from avalanche.core import BasePlugin, BaseSGDPlugin, SupervisedPlugin
from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin

__all__ = ["has_callback"]

# The callbacks of these classes do nothing.
_BASES = (BasePlugin, BaseSGDPlugin, SupervisedPlugin, PluginMetric, BaseLogger)


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
