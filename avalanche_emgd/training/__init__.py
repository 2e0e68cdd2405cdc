"""Strategies for parallel continual learning, on Avalanche's templates."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .baselines import AvgGradStrategy
    from .emgd import EMGDStrategy
    from .memory import ReplayMemory
    from .precision import MixedPrecision
    from .precision_name import Precision
    from .templates import MultiGradientTemplate

__all__ = [
    "AvgGradStrategy",
    "EMGDStrategy",
    "MixedPrecision",
    "MultiGradientTemplate",
    "Precision",
    "ReplayMemory",
]

make_lazy(__name__)
