"""Metrics of parallel continual learning and diagnostics, for Avalanche's evaluators."""

from .accuracy import TestSamples, accuracy
from .diagnostics import GradientDiagnostics, gradient_diagnostics
from .editing import EditingDiagnostics, editing_diagnostics, editing_grid
from .pcl_metrics import PCLMetrics, PCLResult, pcl_metrics
from .tensorboard import BatchedTensorboardLogger

__all__ = [
    "BatchedTensorboardLogger",
    "EditingDiagnostics",
    "GradientDiagnostics",
    "PCLMetrics",
    "PCLResult",
    "TestSamples",
    "accuracy",
    "editing_diagnostics",
    "editing_grid",
    "gradient_diagnostics",
    "pcl_metrics",
]
