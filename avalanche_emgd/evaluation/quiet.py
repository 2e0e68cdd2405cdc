"""Evaluators without loggers."""

from __future__ import annotations

from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin

__all__ = ["quiet_evaluator"]


class _NoLogger(BaseLogger):
    """Writes nothing."""

    def log_single_metric(self, name: str, value: Any, x_plot: int) -> None:
        """Write nothing."""


def quiet_evaluator(*metrics: PluginMetric) -> EvaluationPlugin:
    """Make an evaluator that logs nothing and keeps only the last value of each metric.

    Avalanche warns of an evaluator that is made without loggers, even where none is wanted.

    :param metrics: metrics to be computed, if any.
    """
    evaluator = EvaluationPlugin(*metrics, loggers=[_NoLogger()], collect_all=False)
    evaluator.loggers = []
    return evaluator
