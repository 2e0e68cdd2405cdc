"""Strategies for parallel continual learning, on Avalanche's templates."""

from .baselines import AvgGradStrategy
from .emgd import EMGDStrategy
from .memory import ReplayMemory
from .templates import MultiGradientTemplate

__all__ = ["AvgGradStrategy", "EMGDStrategy", "MultiGradientTemplate", "ReplayMemory"]
