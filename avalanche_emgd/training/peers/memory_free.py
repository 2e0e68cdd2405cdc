"""Strategies without replay memory."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from torchjd.aggregation import MeanWeighting
from typing_extensions import Unpack

from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["MemoryFreeStrategy", "NaiveStrategy"]


class MemoryFreeStrategy(MultiGradientTemplate):
    """Follows the plain average of the active tasks' gradients, and replays nothing.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting`` and

    :param memory_size: taken for the sake of a common signature, and of no effect: these methods
        have no memory by definition.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        options.pop("memory_size", None)
        super().__init__(model, optimizer=optimizer, weighting=MeanWeighting(), **options)


class NaiveStrategy(MemoryFreeStrategy):
    """Plain average of the active tasks' gradients and nothing against forgetting: fine-tuning.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``; ``memory_size`` has
    no effect.
    """
