"""What a weighting knows of the training loop."""

from __future__ import annotations

from typing import Any

import torch

from ...benchmarks.experience import finishing_objectives
from ...gradients import StackedGradients
from ...models.modes import frozen_statistics
from ...optim import ObjectiveWeighting
from ...optim.peers import PeerWeighting
from .base import MultiGradientPlugin

__all__ = ["WeightingPlugin"]


class WeightingPlugin(MultiGradientPlugin):
    """Tells a weighting at each tick which objective each gradient belongs to.

    It also says what their losses are and which of them are replayed, and has the weighting forget
    a task when its span ends. A weighting that asks for them sees the gradients, which it may
    replace, and the losses after the update. Multi-gradient strategies bring it along themselves.

    :param weighting: the weighting of the strategy.
    """

    def __init__(self, weighting: ObjectiveWeighting) -> None:
        super().__init__()
        self.weighting = weighting

    def before_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Name the rows of the Gramian."""
        self.weighting.set_objectives(
            strategy.objectives, strategy.objective_losses, strategy.replayed
        )
        if isinstance(self.weighting, PeerWeighting) and self.weighting.needs_gradients:
            self._show(self.weighting, strategy)

    @staticmethod
    def _show(weighting: PeerWeighting, strategy: Any) -> None:
        """Show the shared part of the gradients, and take what is to be weighed in its place."""
        rows, shared = strategy.gradients, strategy.space.num_shared
        seen = weighting.see(rows[:, :shared])
        if seen is not None:
            strategy.objective_gradients = StackedGradients(torch.cat([seen, rows[:, shared:]], 1))
            strategy.gramian = strategy.objective_gradients.gramian(shared).cpu()

    def after_update(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Tell what the losses of the tick's samples are now; batch norm's statistics stay."""
        if not (isinstance(self.weighting, PeerWeighting) and self.weighting.looks_back):
            return
        with torch.no_grad(), frozen_statistics(strategy.model):
            losses = [
                strategy.loss_of(strategy.mb_x[part.start : part.stop], part)
                for part in strategy.mbatch.parts
            ]
        self.weighting.look_back(torch.stack(losses))

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Forget the tasks that will not come back."""
        self.weighting.forget(finishing_objectives(strategy.experience))
