"""The replay memory as one more objective."""

from __future__ import annotations

from typing import Any, Literal

from avalanche.core import SupervisedPlugin

from ..memory import ReplayMemory

__all__ = ["MemoryObjectives", "ReplayMemoryPlugin"]

MemoryObjectives = Literal["one", "per-task"]


class ReplayMemoryPlugin(SupervisedPlugin):
    """Adds a minibatch from the replay memory to every tick, and fills the memory.

    :param memory: the samples of the finished tasks.
    :param objectives: ``"one"``: the memory is one objective, ``memory``; ``"per-task"``: each
        finished task is one, ``memory-<task>``, and they share the minibatch equally.
    """

    def __init__(self, memory: ReplayMemory, objectives: MemoryObjectives = "one") -> None:
        super().__init__()
        if objectives not in ("one", "per-task"):
            raise ValueError(
                f"`memory_objectives` must be 'one' or 'per-task', found {objectives!r}."
            )
        self.memory = memory
        self.objectives = objectives

    def before_training_iteration(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Append the memory's minibatch."""
        if len(self.memory) == 0:
            return
        size = strategy.memory_mb_size
        if self.objectives == "one":
            strategy.mbatch.append_objective("memory", self.memory.draw(size), replayed=True)
        else:
            for task, tensors in self.memory.draw_per_task(size).items():
                strategy.mbatch.append_objective(f"memory-{task}", tensors, replayed=True)

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Take in what was streamed."""
        self.memory.post_adapt(strategy, strategy.experience)
