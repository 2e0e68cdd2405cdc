"""Strategies for parallel continual learning, on Avalanche's templates."""

from .baselines import AvgGradStrategy
from .emgd import EMGDStrategy
from .memory import ReplayMemory
from .precision import MixedPrecision, Precision
from .templates import MultiGradientTemplate

__all__ = [
    "AvgGradStrategy",
    "EMGDStrategy",
    "MixedPrecision",
    "MultiGradientTemplate",
    "Precision",
    "ReplayMemory",
]
