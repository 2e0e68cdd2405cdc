"""Baselines on the same ticks, samples, memory and masks as EMGD."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer
from torchjd.aggregation import MeanWeighting

from .templates import MultiGradientTemplate

__all__ = ["AvgGradStrategy"]


class AvgGradStrategy(MultiGradientTemplate):
    """The plain average of the objectives' gradients.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``.
    """

    def __init__(self, model: nn.Module, *, optimizer: Optimizer, **kwargs: Any) -> None:
        super().__init__(model, optimizer=optimizer, weighting=MeanWeighting(), **kwargs)
