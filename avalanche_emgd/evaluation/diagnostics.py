"""What one looks at while gradients are weighed: losses, norms, factors, weights, angles."""

from __future__ import annotations

import math
from operator import mul
from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue

__all__ = ["GradientDiagnostics", "gradient_diagnostics"]


class GradientDiagnostics(PluginMetric[dict[str, float]]):
    """What a multi-gradient strategy weighs, per tick and by name of the objective.

    * ``Loss/<objective>``;
    * ``Gradient_Norm/<objective>``: ‖g_i‖ over the shared parameters;
    * ``Sigma/<objective>``: elastic factor σ_i, where the strategy has them;
    * ``Weight/<objective>``: λ_i, where the strategy has weights;
    * ``Cosine/<objective>~<objective>``: of each pair of gradients;
    * ``Squared_Direction``: ‖d‖² = ‖Σ λ_i g_i‖², the distance to Pareto-criticality; with weights.

    An objective without gradient has no cosines, one that is relaxed completely no finite σ; they
    are left out.

    :param every: emit every so many iterations, ≥ 1.
    """

    def __init__(self, every: int = 1) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be at least 1, found {every!r}.")
        self.every = every
        self.reset()

    def reset(self) -> None:
        """Forget the last tick."""
        self._last: dict[str, float] = {}

    def result(self) -> dict[str, float]:
        """Values of the last tick that was looked at."""
        return dict(self._last)

    def after_training_iteration(self, strategy: Any) -> list[MetricValue] | None:
        """Emit the values of this tick."""
        iteration = strategy.clock.train_iterations  # counted after this callback
        if iteration % self.every or not hasattr(strategy, "gramian"):
            return None
        self._last = _values(strategy)
        return [MetricValue(self, name, value, iteration) for name, value in self._last.items()]


def gradient_diagnostics(every: int = 1) -> list[PluginMetric]:
    """Diagnostics of multi-gradient strategies for an ``EvaluationPlugin``.

    :param every: emit every so many iterations, ≥ 1.
    """
    return [GradientDiagnostics(every)]


def _values(strategy: Any) -> dict[str, float]:
    names = strategy.objectives
    # Plain numbers: one call for each tensor instead of one for each entry.
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
