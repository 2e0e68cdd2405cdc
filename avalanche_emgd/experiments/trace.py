"""Losses, weights and elastic factors of a run over its ticks."""

from __future__ import annotations

from typing import Any

from ..training.plugins import MultiGradientPlugin

__all__ = ["LARGEST", "Trace", "WeightTrace"]

LARGEST = 1e100
"""Largest absolute value that is kept: pictures of larger ones say nothing, and fail."""

Trace = dict[str, dict[str, list[tuple[int, float]]]]
"""``"loss"``, ``"weight"`` and ``"sigma"``: for each objective, (tick, value) in order."""


class WeightTrace(MultiGradientPlugin):
    """Keeps loss, λ_i and, where there are any, σ_i of each objective at every so many ticks.

    :param every: ticks between two that are kept, ≥ 1.
    """

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every = every
        self.trace: Trace = {"loss": {}, "weight": {}, "sigma": {}}

    def after_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Keep this tick's values."""
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
                # An objective without gradient is relaxed completely: its factor is infinite.
                if abs(value) <= LARGEST:
                    self.trace[kind].setdefault(objective, []).append((strategy.tick, value))
