"""Elastic factors in the training loop."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...benchmarks.experience import finishing_objectives
from ...optim import EMGDWeighting
from .base import MultiGradientPlugin

__all__ = ["ElasticFactorPlugin"]


class ElasticFactorPlugin(MultiGradientPlugin):
    """Keeps the elastic factors (GMC, GS, ...) of a weighting by objective.

    Tells the weighting at each tick which objective each gradient belongs to, and forgets a task
    when its span ends.

    :param weighting: the weighting of the strategy.
    """

    def __init__(self, weighting: EMGDWeighting) -> None:
        super().__init__()
        self.weighting = weighting

    @property
    def sigma(self) -> Tensor | None:
        """Elastic factors of the last tick, ``[n]``, in the order of ``strategy.objectives``."""
        return self.weighting.sigma

    def before_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Name the rows of the Gramian."""
        self.weighting.set_objectives(strategy.objectives)

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Forget the tasks that will not come back."""
        self.weighting.elastic.forget(finishing_objectives(strategy.experience))
