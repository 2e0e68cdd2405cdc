"""Evaluators without loggers."""

from __future__ import annotations

from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin

__all__ = ["quiet_evaluator"]


class _NoLogger(BaseLogger):
    """Logger without output, which each of several processes may have."""

    def __init__(self) -> None:
        super(BaseLogger, self).__init__()

    def log_single_metric(self, name: str, value: Any, x_plot: int) -> None:
        """Ignore the value."""


def quiet_evaluator(*metrics: PluginMetric, collect_all: bool = False) -> EvaluationPlugin:
    """Make an evaluator that logs nothing.

    Avalanche warns about an evaluator without loggers, even if that is intended.

    :param metrics: metrics to compute.
    :param collect_all: whether to keep all values of each metric, or only the last value.
    """
    evaluator = EvaluationPlugin(*metrics, loggers=[_NoLogger()], collect_all=collect_all)
    evaluator.loggers = []
    return evaluator
