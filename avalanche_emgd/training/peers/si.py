"""SI: a parameter is important if moving it has lowered the loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...benchmarks.experience import finishing_objectives
from ..options import StrategyOptions
from .quadratic_penalty import QuadraticPenaltyStrategy

__all__ = ["SIStrategy"]


class SIStrategy(QuadraticPenaltyStrategy):
    r"""Synaptic intelligence (Zenke et al., ICML 2017), without memory.

    With g the gradient of the mean of the active tasks' losses, penalty excluded, and δ what the
    optimizer then does to the parameters, every parameter adds up its share of the fall of the
    loss. At the end of each segment in which a task finishes this becomes

    .. math:: \Omega \leftarrow \Omega +
        \max\Bigl(0,\ \frac{-\sum g\,\delta}{(\theta - \theta_0)^2 + \xi}\Bigr)

    with θ₀ the parameters at the last time that was done; the parameters are then held by Ω at
    where they are. Of tasks that are still active, too, what they have contributed so far counts.

    Avalanche's ``SynapticIntelligencePlugin`` (0.6) does nothing on a CPU: what it keeps as the old
    parameters are views of the live ones. And on any device its gradient includes the penalty's.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``; ``memory_size`` has
    no effect.

    :param si_lambda: strength of the penalty, ≥ 0.
    :param xi: ξ > 0.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        si_lambda: float = 0.1,
        xi: float = 0.001,
        **options: Unpack[StrategyOptions],
    ) -> None:
        if not 0.0 <= si_lambda < float("inf"):
            raise ValueError(f"`si_lambda` must be at least 0 and finite, found {si_lambda!r}.")
        if not 0.0 < xi < float("inf"):
            raise ValueError(f"`xi` must be positive and finite, found {xi!r}.")
        super().__init__(model, optimizer=optimizer, strength=si_lambda, **options)
        self.xi = xi
        self._path: Tensor | None = None

    def _before_training_exp(self, **kwargs: Any) -> None:
        super()._before_training_exp(**kwargs)
        if self._path is None:
            self._start = self.flat_parameters()
            self._path = torch.zeros_like(self._start)

    def optimizer_step(self) -> None:
        """Update, and add up by how much each parameter has lowered the loss."""
        before = self.flat_parameters()
        super().optimizer_step()
        if self._path is not None:
            self._path -= self.data_gradient * (self.flat_parameters() - before)

    def _after_training_exp(self, **kwargs: Any) -> None:
        super()._after_training_exp(**kwargs)
        if self._path is not None and finishing_objectives(self.experience):
            now = self.flat_parameters()
            gained = self._path / ((now - self._start).square() + self.xi)
            self.consolidate(gained.clamp(min=0.0), now)
            self._path = None
