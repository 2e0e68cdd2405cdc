"""Diagnostics of weighted gradients: losses, norms, factors, weights and angles."""

from __future__ import annotations

import math
from operator import mul
from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue

from .._numbers import check_whole

__all__ = ["GradientDiagnostics", "gradient_diagnostics"]


class GradientDiagnostics(PluginMetric[dict[str, float]]):
    """Metrics of the objectives of a multi-gradient strategy, at each tick.

    * ``Loss/<objective>``;
    * ``Gradient_Norm/<objective>``: ‖g_i‖ over the shared parameters;
    * ``Sigma/<objective>``: elastic factor σ_i, if the strategy has such factors;
    * ``Weight/<objective>``: weight λ_i, if the strategy has weights;
    * ``Cosine/<objective>~<objective>``: cosine of the angle between two gradients;
    * ``Squared_Direction``: ‖d‖² = ‖Σ λ_i g_i‖², zero at a Pareto-critical point, if the strategy
      has weights.

    Cosines of a zero gradient, and factors σ_i that are not finite, are left out.

    :param every: number of iterations between two emissions, ≥ 1.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, every: int = 1) -> None:
        super().__init__()
        check_whole("every", every, 1)
        self.every = every
        self.reset()

    def reset(self) -> None:
        """Clear the values of the last tick."""
        self._last: dict[str, float] = {}

    def result(self) -> dict[str, float]:
        """Return the values that were emitted last, by name."""
        return dict(self._last)

    def after_training_iteration(self, strategy: Any) -> list[MetricValue] | None:
        """Emit the values of this tick."""
        iteration = strategy.clock.train_iterations  # counted after this callback
        if iteration % self.every or not hasattr(strategy, "gramian"):
            return None
        self._last = _values(strategy)
        return [MetricValue(self, name, value, iteration) for name, value in self._last.items()]


def gradient_diagnostics(every: int = 1) -> list[PluginMetric]:
    """Make diagnostics of multi-gradient strategies for an ``EvaluationPlugin``.

    :param every: number of iterations between two emissions, ≥ 1.
    """
    return [GradientDiagnostics(every)]


def _values(strategy: Any) -> dict[str, float]:
    names = strategy.objectives
    # One `tolist` for each tensor is faster than access to each entry.
    products, weights = strategy.gramian.tolist(), strategy.weights.tolist()
    losses, sigma = strategy.objective_losses.tolist(), getattr(strategy, "sigma", None)
    factors = [math.inf] * len(names) if sigma is None else sigma.tolist()
    norms = [math.sqrt(max(0.0, products[i][i])) for i in range(len(names))]
    values = {}
    for i, name in enumerate(names):
        values[f"Loss/{name}"] = losses[i]
        values[f"Gradient_Norm/{name}"] = norms[i]
        if math.isfinite(factors[i]):
            values[f"Sigma/{name}"] = factors[i]
        if weights:
            values[f"Weight/{name}"] = weights[i]
        for j in range(i + 1, len(names)):
            lengths = norms[i] * norms[j]
            if lengths > 0.0:
                values[f"Cosine/{name}~{names[j]}"] = products[i][j] / lengths
    if weights:
        along = [sum(map(mul, row, weights)) for row in products]
        values["Squared_Direction"] = max(0.0, sum(map(mul, weights, along)))
    return values
