"""Metrics of parallel continual learning and diagnostics, for Avalanche's evaluators."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .accuracy import TestSamples, accuracy
    from .diagnostics import GradientDiagnostics, gradient_diagnostics
    from .editing import EditingDiagnostics, editing_diagnostics, editing_grid
    from .live_metrics import LiveMetrics, live_metrics
    from .pcl_metrics import PCLMetrics, PCLResult, pcl_metrics
    from .quiet import quiet_evaluator
    from .tensorboard import BatchedTensorboardLogger
    from .weights_and_biases import WandBLogger

__all__ = [
    "BatchedTensorboardLogger",
    "EditingDiagnostics",
    "GradientDiagnostics",
    "LiveMetrics",
    "PCLMetrics",
    "PCLResult",
    "TestSamples",
    "WandBLogger",
    "accuracy",
    "editing_diagnostics",
    "editing_grid",
    "gradient_diagnostics",
    "live_metrics",
    "pcl_metrics",
    "quiet_evaluator",
]

make_lazy(__name__)
