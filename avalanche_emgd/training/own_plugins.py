"""The plugins that a strategy makes of its options, beside those that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from avalanche.core import BasePlugin
from torch import nn

from ..optim import ObjectiveWeighting
from .plugins import WeightingPlugin

__all__ = ["own_plugins"]


def own_plugins(
    strategy: Any, model: nn.Module, weighting: Any, given: Sequence[Any]
) -> list[BasePlugin]:
    """Return the plugins of a strategy's own, in the order of their callbacks.

    :param strategy: strategy with its memory, losses, augmentation, averaged weights and memory
        editing.
    :param model: model of the strategy.
    :param weighting: weighting of the strategy.
    :param given: plugins of the user; one of them may inform the weighting already.
    """
    own: list[BasePlugin] = []
    if strategy.replay is not None:
        own += [strategy.replay, *strategy.memory_selection.make_plugins(strategy.memory, model)]
    losses = (strategy.memory_loss, strategy.competition)
    own += [loss for loss in losses if isinstance(loss, BasePlugin)]
    more = (strategy.memory_augmentation, strategy.averaged_weights, strategy.memory_editing)
    own += [plugin for plugin in more if plugin is not None]
    is_informed = any(isinstance(plugin, WeightingPlugin) for plugin in given)
    if isinstance(weighting, ObjectiveWeighting) and not is_informed:
        own.append(WeightingPlugin(weighting))
    return own
