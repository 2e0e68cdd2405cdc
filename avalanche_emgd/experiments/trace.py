"""Losses, weights and elastic factors of a run over its ticks."""

from __future__ import annotations

from typing import Any

from ..training.plugins import MultiGradientPlugin

__all__ = ["LARGEST", "Trace", "WeightTrace"]

LARGEST = 1e100
"""Largest absolute value in a trace; larger ones cannot be drawn."""

Trace = dict[str, dict[str, list[tuple[int, float]]]]
"""``"loss"``, ``"weight"`` and ``"sigma"``: for each objective, (tick, value) in order."""


class WeightTrace(MultiGradientPlugin):
    """Plugin that records loss, λ_i and, if there is one, σ_i of each objective at regular ticks.

    :param every: ticks from one recorded tick to the next, ≥ 1.
    """

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every = every
        self.trace: Trace = {"loss": {}, "weight": {}, "sigma": {}}

    def after_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Record the values of this tick."""
        if strategy.clock.train_iterations % self.every:
            return
        values = {
            "loss": strategy.objective_losses,
            "weight": strategy.weights,
            "sigma": getattr(strategy, "sigma", None),
        }
        for kind, row in values.items():
            if row is None or len(row) != len(strategy.objectives):
                continue
            for objective, value in zip(strategy.objectives, row.tolist(), strict=True):
                # An objective without gradient has an infinite factor.
                if abs(value) <= LARGEST:
                    self.trace[kind].setdefault(objective, []).append((strategy.tick, value))
