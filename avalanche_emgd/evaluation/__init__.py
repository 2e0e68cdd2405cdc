"""Metrics of parallel continual learning and diagnostics, for Avalanche's evaluators."""

from .accuracy import TestSamples, accuracy
from .diagnostics import GradientDiagnostics, gradient_diagnostics
from .pcl_metrics import PCLMetrics, PCLResult, pcl_metrics

__all__ = [
    "GradientDiagnostics",
    "PCLMetrics",
    "PCLResult",
    "TestSamples",
    "accuracy",
    "gradient_diagnostics",
    "pcl_metrics",
]
