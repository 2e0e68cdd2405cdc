"""Evaluators without loggers."""

from __future__ import annotations

from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin

__all__ = ["quiet_evaluator"]


class _NoLogger(BaseLogger):
    """Logger without output."""

    def log_single_metric(self, name: str, value: Any, x_plot: int) -> None:
        """Ignore the value."""


def quiet_evaluator(*metrics: PluginMetric) -> EvaluationPlugin:
    """Make an evaluator that logs nothing and keeps only the last value of each metric.

    Avalanche warns about an evaluator without loggers, even if that is intended.

    :param metrics: metrics to compute.
    """
    evaluator = EvaluationPlugin(*metrics, loggers=[_NoLogger()], collect_all=False)
    evaluator.loggers = []
    return evaluator
