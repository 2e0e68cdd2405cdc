"""The replay memory as one more objective."""

from __future__ import annotations

from typing import Any, Literal

from avalanche.core import SupervisedPlugin
from torch import Tensor

from ..memory import ReplayMemory

__all__ = ["MemoryObjectives", "ReplayMemoryPlugin"]

MemoryObjectives = Literal["one", "per-task"]
"""The memory is one objective, or one for each finished task."""


class ReplayMemoryPlugin(SupervisedPlugin):
    """Adds a minibatch from the replay memory to every tick, and fills the memory.

    :param memory: the samples of the finished tasks.
    :param objectives: ``"one"``: the memory is one objective, ``memory``; ``"per-task"``: each
        finished task is one, ``memory-<task>``, and they share the minibatch equally. It is
        forwarded as one batch either way, so that batch norm sees all of it.
    """

    def __init__(self, memory: ReplayMemory, objectives: MemoryObjectives = "one") -> None:
        super().__init__()
        if objectives not in ("one", "per-task"):
            raise ValueError(
                f"`memory_objectives` must be 'one' or 'per-task', found {objectives!r}."
            )
        self.memory = memory
        self.objectives = objectives
        self.drawn: dict[str, Tensor] = {}
        """Positions in the memory of the samples of this tick, by objective."""

    def before_training_iteration(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Append the memory's minibatch."""
        self.drawn = self.choose(strategy, strategy.memory_mb_size) if len(self.memory) else {}
        for number, (objective, positions) in enumerate(self.drawn.items()):
            samples = self.memory.take(positions)
            strategy.mbatch.append_objective(objective, samples, replayed=True, together=number > 0)

    def choose(self, strategy: Any, size: int) -> dict[str, Tensor]:
        """Choose what is replayed: objectives and the positions of their samples in the memory.

        :param strategy: in whose minibatch are the samples of the active tasks.
        :param size: samples in all; the memory is not empty.
        """
        if self.objectives == "one":
            return {"memory": self.memory.choose(size)}
        chosen = self.memory.choose_per_task(size)
        return {f"memory-{task}": positions for task, positions in chosen.items()}

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Take in what was streamed."""
        self.memory.post_adapt(strategy, strategy.experience)
