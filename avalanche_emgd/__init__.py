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
    span_lengths,
)
from .evaluation import gradient_diagnostics, pcl_metrics
from .models import MLP
from .optim import EMGD, GMC, GS, EMGDWeighting
from .training import AvgGradStrategy, EMGDStrategy, MultiGradientTemplate, ReplayMemory
from .training.plugins import ClassMaskPlugin

__version__ = version("avalanche-emgd")

__all__ = [
    "EMGD",
    "GMC",
    "GS",
    "MLP",
    "AvgGradStrategy",
    "ClassMaskPlugin",
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
    "span_lengths",
]
