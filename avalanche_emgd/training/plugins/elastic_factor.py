"""Plugin with the elastic factors of EMGD."""

from __future__ import annotations

from torch import Tensor

from ...optim import EMGDWeighting
from .weighting import WeightingPlugin

__all__ = ["ElasticFactorPlugin"]


class ElasticFactorPlugin(WeightingPlugin):
    """Plugin that connects a weighting with elastic factors (GMC, GS, ...) to the training loop.

    :param weighting: the weighting of the strategy.
    """

    weighting: EMGDWeighting

    def __init__(self, weighting: EMGDWeighting) -> None:
        super().__init__(weighting)

    @property
    def sigma(self) -> Tensor | None:
        """Elastic factors of the last tick, ``[n]``, in the order of ``strategy.objectives``."""
        return self.weighting.sigma
