"""Warnings about mistakes in the set-up that losses and weights reveal."""

from __future__ import annotations

import math
import warnings
from typing import Any

from .base import MultiGradientPlugin

__all__ = ["SetupWatchPlugin"]

_EVERY = 8  # ticks between two checks of the direction
_LOOKS = 8  # successive checks with a short direction before the warning
_SHORT = 1e-3  # limit of the length, relative to the mean length of the gradients
_LOUD = 30.0  # limit of a first loss, relative to the largest first loss before


class SetupWatchPlugin(MultiGradientPlugin):
    """Plugin that warns, once each, about losses on different scales and about short directions.

    * The first loss of a task is more than 30 times the first losses of all earlier tasks. Its loss
      is probably on another scale. A much smaller loss gives no warning, because the classes may be
      known already.
    * The direction is shorter than a thousandth of the mean gradient, at every eighth tick for 64
      ticks. The weighting is so conservative that the model hardly learns; for example, MGDA with
      an objective that has converged.

    :class:`~avalanche_emgd.EMGDStrategy` adds this plugin.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: set[str] = set()
        self._largest = math.inf  # largest first loss so far
        self._ticks, self._short = 0, 0
        self._has_warned = False

    def after_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Check the losses of new tasks, and the direction."""
        if not self._known.issuperset(strategy.objectives):
            self._look_at_losses(strategy)
        self._ticks += 1
        if self._ticks % _EVERY == 0 and len(strategy.objectives) > 1:
            self._look_at_direction(strategy)

    def _look_at_losses(self, strategy: Any) -> None:
        rows = zip(
            strategy.objective_losses.tolist(), strategy.objectives, strategy.replayed, strict=True
        )
        for loss, name, replayed in sorted(rows):
            if name in self._known:
                continue
            self._known.add(name)
            if replayed:
                continue
            if loss > _LOUD * self._largest > 0.0 and not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"the first loss of {name!r} is {loss:.3g}, that of all tasks before at most "
                    f"{self._largest:.3g}. Its gradients dominate all updates: scale the losses of "
                    "all tasks to the same size.",
                    stacklevel=2,
                )
            before = 0.0 if math.isinf(self._largest) else self._largest
            self._largest = max(before, loss)

    def _look_at_direction(self, strategy: Any) -> None:
        gramian, weights = strategy.gramian, strategy.weights
        mean = float(gramian.diagonal().clamp(min=0.0).sqrt().mean())
        length = math.sqrt(max(0.0, float(weights @ gramian.to(weights) @ weights)))
        self._short = self._short + 1 if length < _SHORT * mean else 0
        if self._short == _LOOKS:
            warnings.warn(
                f"the directions of {strategy.weighting!r} have been shorter than {_SHORT:g} of "
                f"the mean gradient for {_EVERY * _LOOKS} ticks. An objective that has converged, "
                "or conflicts, may stop the progress of others. A larger `exponent` or "
                "`lower_bound` of the elastic factors relaxes it.",
                stacklevel=2,
            )
