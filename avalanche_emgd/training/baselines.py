"""Baselines with the same ticks, samples, memory and masks as EMGD."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from torchjd.aggregation import MeanWeighting
from typing_extensions import Unpack

from .options import StrategyOptions
from .templates import MultiGradientTemplate

__all__ = ["AvgGradStrategy"]


class AvgGradStrategy(MultiGradientTemplate):
    """Strategy that follows the plain average of the objectives' gradients.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        super().__init__(model, optimizer=optimizer, weighting=MeanWeighting(), **options)
