"""Selection and retrieval: the samples that a replay memory keeps, and those that are replayed."""

from __future__ import annotations

from collections.abc import Sequence

from avalanche.core import BasePlugin
from torch import nn

from ..memory import ReplayMemory
from ..plugins import MemoryObjectives, ReplayMemoryPlugin

__all__ = ["MemoryRetrieval", "MemorySelection"]


class MemorySelection:
    """Random selection of the samples that a replay memory keeps.

    Subclasses select in another way; :class:`GSS` is one.
    """

    def make_memory(self, max_size: int, seed: int) -> ReplayMemory:
        """Make the replay memory of a strategy.

        :param max_size: capacity in samples, ≥ 1.
        :param seed: seed of all that the memory draws.
        """
        return ReplayMemory(max_size, seed)

    def make_plugins(self, memory: ReplayMemory, model: nn.Module) -> Sequence[BasePlugin]:
        """Make the plugins that the selection needs; none here.

        :param memory: memory of the strategy.
        :param model: model that is trained.
        :raises ValueError: if the selection does not work with the model or the memory.
        """
        return ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class MemoryRetrieval:
    """Random retrieval of the samples that are replayed.

    Subclasses retrieve in another way; :class:`MIR` is one.
    """

    def make_replay(self, memory: ReplayMemory, objectives: MemoryObjectives) -> ReplayMemoryPlugin:
        """Make the plugin that draws from the memory.

        :param memory: memory of the strategy.
        :param objectives: whether the memory is one objective or one for each finished task.
        """
        return ReplayMemoryPlugin(memory, objectives)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
