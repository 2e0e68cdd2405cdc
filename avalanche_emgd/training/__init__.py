"""Strategies for parallel continual learning, on Avalanche's templates."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .baselines import AvgGradStrategy
    from .emgd import EMGDStrategy
    from .memory import ReplayMemory
    from .methods import METHODS, Method, find_method, make_method
    from .options import StrategyOptions
    from .precision import MixedPrecision
    from .precision_name import Precision
    from .stopping import TrainingStopped
    from .templates import MultiGradientTemplate

__all__ = [
    "METHODS",
    "AvgGradStrategy",
    "EMGDStrategy",
    "Method",
    "MixedPrecision",
    "MultiGradientTemplate",
    "Precision",
    "ReplayMemory",
    "StrategyOptions",
    "TrainingStopped",
    "find_method",
    "make_method",
]

make_lazy(__name__)
