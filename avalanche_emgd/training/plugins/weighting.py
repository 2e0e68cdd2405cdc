"""Plugin that connects a weighting to the training loop."""

from __future__ import annotations

from typing import Any

import torch

from ...benchmarks.experience import finishing_objectives
from ...benchmarks.live import LiveSegment
from ...gradients import StackedGradients
from ...models.modes import frozen_statistics
from ...optim import EMGDWeighting, ObjectiveWeighting
from ...optim.peers import PeerWeighting
from .base import MultiGradientPlugin

__all__ = ["WeightingPlugin"]


class WeightingPlugin(MultiGradientPlugin):
    """Plugin that passes the objectives of each tick to a weighting.

    At each tick the weighting receives the names of the objectives, their losses, and which of them
    are replayed. Some weightings also receive the gradients, which they may replace, and the losses
    after the update. At the end of a task's span, the weighting drops its state of the task. On a
    live stream, where tasks return, elastic factors keep theirs. Multi-gradient strategies add this
    plugin.

    :param weighting: the weighting of the strategy.
    """

    def __init__(self, weighting: ObjectiveWeighting) -> None:
        super().__init__()
        self.weighting = weighting
        self._replayed: set[str] = set()  # names of memory objectives of a live stream

    def before_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Pass the objectives of the Gramian's rows to the weighting."""
        self.weighting.set_objectives(
            strategy.objectives, strategy.objective_losses, strategy.replayed
        )
        if isinstance(self.weighting, PeerWeighting) and self.weighting.needs_gradients:
            self._show(self.weighting, strategy)

    @staticmethod
    def _show(weighting: PeerWeighting, strategy: Any) -> None:
        """Pass the shared part of the gradients to the weighting, which may replace it."""
        rows, shared = strategy.gradients, strategy.space.num_shared
        seen = weighting.see(rows[:, :shared])
        if seen is not None:
            strategy.objective_gradients = StackedGradients(torch.cat([seen, rows[:, shared:]], 1))
            strategy.gramian = strategy.objective_gradients.gramian(shared).cpu()

    def after_update(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Pass the losses after the update to the weighting, if it needs them."""
        if not (isinstance(self.weighting, PeerWeighting) and self.weighting.looks_back):
            return
        if set(strategy.objectives) <= set(strategy.now.skipped):
            return  # no update
        with torch.no_grad(), frozen_statistics(strategy.model):
            losses = [
                strategy.loss_of(strategy.mb_x[part.start : part.stop], part)
                for part in strategy.mbatch.parts
            ]
        self.weighting.look_back(torch.stack(losses))

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Drop the weighting's state of the tasks that finish."""
        experience = strategy.experience
        if isinstance(experience, LiveSegment) and isinstance(self.weighting, EMGDWeighting):
            return  # one number for each task, which a task that returns finds again
        self.weighting.forget(finishing_objectives(experience))
        if isinstance(experience, LiveSegment) and strategy.memory is not None:
            replayed = {f"memory-{task}" for task in strategy.memory.tasks}
            self.weighting.forget(self._replayed - replayed)
            self._replayed = replayed
