"""What a weighting knows of the training loop."""

from __future__ import annotations

from typing import Any

from ...benchmarks.experience import finishing_objectives
from ...optim import ObjectiveWeighting
from .base import MultiGradientPlugin

__all__ = ["WeightingPlugin"]


class WeightingPlugin(MultiGradientPlugin):
    """Tells a weighting at each tick which objective each gradient belongs to.

    It also says what their losses are and which of them are replayed, and has the weighting forget
    a task when its span ends. Multi-gradient strategies bring it along themselves.

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

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Forget the tasks that will not come back."""
        self.weighting.forget(finishing_objectives(strategy.experience))
