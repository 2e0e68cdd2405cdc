"""Parallel continual learning for Avalanche.

Several tasks stream at once, start and end when they like, and one model learns them all.
"""

from importlib.metadata import version

from .benchmarks import (
    ParallelBenchmark,
    Protocol,
    Timeline,
    parallel_benchmark,
    parallel_benchmark_from_classes,
    ps_digits,
    ps_emnist,
)
from .evaluation import gradient_diagnostics, pcl_metrics
from .models import MLP
from .optim import EMGD, EMGDWeighting
from .training import AvgGradStrategy, EMGDStrategy, MultiGradientTemplate, ReplayMemory

__version__ = version("avalanche-emgd")

__all__ = [
    "EMGD",
    "MLP",
    "AvgGradStrategy",
    "EMGDStrategy",
    "EMGDWeighting",
    "MultiGradientTemplate",
    "ParallelBenchmark",
    "Protocol",
    "ReplayMemory",
    "Timeline",
    "gradient_diagnostics",
    "parallel_benchmark",
    "parallel_benchmark_from_classes",
    "pcl_metrics",
    "ps_digits",
    "ps_emnist",
]
