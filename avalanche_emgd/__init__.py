"""Parallel continual learning for Avalanche.

Several tasks stream at once. Each task starts and ends at any time; one model learns all of them.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING

from ._lazy import make_lazy

if TYPE_CHECKING:
    from .benchmarks import (
        ParallelBenchmark,
        Protocol,
        Timeline,
        parallel_benchmark,
        parallel_benchmark_from_arrays,
        parallel_benchmark_from_classes,
        parallel_benchmark_from_hugging_face,
        parallel_benchmark_from_images,
        parallel_benchmark_from_table,
        ps_cifar100,
        ps_digits,
        ps_emnist,
        ps_imagenet_tiny,
        span_lengths,
    )
    from .benchmarks.live import LiveStream
    from .evaluation import gradient_diagnostics, live_metrics, pcl_metrics
    from .experiments import load_model
    from .models import MLP, ResNet18
    from .optim import EMGD, GMC, GS, EMGDWeighting
    from .training import AvgGradStrategy, EMGDStrategy, MultiGradientTemplate, ReplayMemory
    from .training.plugins import CheckpointPlugin, ClassMaskPlugin
    from .training.state import load_checkpoint, save_checkpoint

__version__ = version("avalanche-emgd")

__all__ = [
    "EMGD",
    "GMC",
    "GS",
    "MLP",
    "AvgGradStrategy",
    "CheckpointPlugin",
    "ClassMaskPlugin",
    "EMGDStrategy",
    "EMGDWeighting",
    "LiveStream",
    "MultiGradientTemplate",
    "ParallelBenchmark",
    "Protocol",
    "ReplayMemory",
    "ResNet18",
    "Timeline",
    "gradient_diagnostics",
    "live_metrics",
    "load_checkpoint",
    "load_model",
    "parallel_benchmark",
    "parallel_benchmark_from_arrays",
    "parallel_benchmark_from_classes",
    "parallel_benchmark_from_hugging_face",
    "parallel_benchmark_from_images",
    "parallel_benchmark_from_table",
    "pcl_metrics",
    "ps_cifar100",
    "ps_digits",
    "ps_emnist",
    "ps_imagenet_tiny",
    "save_checkpoint",
    "span_lengths",
]

make_lazy(__name__)
