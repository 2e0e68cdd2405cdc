"""Plugin that replays samples from memory as a further objective."""

from __future__ import annotations

from typing import Any, Literal

from avalanche.core import SupervisedPlugin
from torch import Tensor

from ...benchmarks.live import LiveBatch
from ..delivered_samples import offered_samples
from ..memory import ReplayMemory

__all__ = ["MemoryObjectives", "ReplayMemoryPlugin"]

MemoryObjectives = Literal["one", "per-task"]
"""The memory is one objective, or one for each finished task."""


class ReplayMemoryPlugin(SupervisedPlugin):
    """Plugin that adds a minibatch from the replay memory to every tick, and fills the memory.

    The minibatch is one batch of the forward pass in both cases below, so that batch norm
    normalises all its samples together.

    :param memory: replay memory with the samples of the finished tasks.
    :param objectives: objectives, ``"one"`` for a single objective ``memory``, or ``"per-task"``
        for an objective ``memory-<task>`` of each finished task; these share the minibatch equally.
    :raises ValueError: if ``objectives`` is neither ``"one"`` nor ``"per-task"``.
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
        """Choose the samples to replay from a memory that is not empty.

        :param strategy: strategy; its minibatch has the samples of the active tasks.
        :param size: total number of samples.
        :return: positions in the memory, ``[b]``, by name of the objective.
        """
        if self.objectives == "one":
            return {"memory": self.memory.choose(size)}
        chosen = self.memory.choose_per_task(size)
        return {f"memory-{task}": positions for task, positions in chosen.items()}

    def after_training_iteration(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Offer the samples of a live stream to the memory."""
        batch = strategy.mbatch
        if isinstance(batch, LiveBatch):
            for part in batch.parts:
                if part.objective in batch.offers and part.objective not in strategy.now.skipped:
                    self.memory.stream(offered_samples(strategy.experience, batch, part.objective))

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Store samples of the experience in the memory."""
        self.memory.post_adapt(strategy, strategy.experience)
