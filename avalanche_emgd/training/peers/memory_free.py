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
    """Strategy that follows the plain average of the active tasks' gradients, without replay.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting``.

    :param memory_size: argument without effect, for a signature that all methods share.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        options.pop("memory_size", None)
        super().__init__(model, optimizer=optimizer, weighting=MeanWeighting(), **options)


class NaiveStrategy(MemoryFreeStrategy):
    """Fine-tuning: the plain average of the active tasks' gradients, without replay or penalty.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``. The argument
    ``memory_size`` has no effect.
    """
