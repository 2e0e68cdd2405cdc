"""SI: a penalty on parameters by their contributions to the decrease of the loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ..._numbers import check_not_negative, check_positive
from ...benchmarks.experience import finishing_objectives
from ..options import StrategyOptions
from .quadratic_penalty import QuadraticPenaltyStrategy

__all__ = ["SIStrategy"]


class SIStrategy(QuadraticPenaltyStrategy):
    r"""Synaptic intelligence (Zenke et al., ICML 2017), without memory.

    Let g be the gradient of the active tasks' mean loss without the penalty, and δ the change of
    the parameters by the optimizer. The sum of −g δ over the ticks is each parameter's contribution
    to the decrease of the loss. At the end of each segment in which a task finishes, the
    importances become

    .. math:: \Omega \leftarrow \Omega +
        \max\Bigl(0,\ \frac{-\sum g\,\delta}{(\theta - \theta_0)^2 + \xi}\Bigr)

    with θ₀ the parameters at the previous such time. The current parameters become the anchor of
    the penalty. The contributions of tasks that are still active are included.

    Avalanche's ``SynapticIntelligencePlugin`` (0.6) has no effect on a CPU, because its old
    parameters are views of the current ones. On any device its gradient includes the penalty's.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``. The argument
    ``memory_size`` has no effect.

    :param si_lambda: strength of the penalty, ≥ 0.
    :param xi: damping ξ > 0 of the denominator.
    :raises ValueError: if a setting is out of range.
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
        check_not_negative("si_lambda", si_lambda)
        check_positive("xi", xi)
        super().__init__(model, optimizer=optimizer, strength=si_lambda, **options)
        self.xi = xi
        self._path: Tensor | None = None

    def _before_training_exp(self, **kwargs: Any) -> None:
        super()._before_training_exp(**kwargs)
        if self._path is None:
            self._start = self.flat_parameters()
            self._path = torch.zeros_like(self._start)

    def _move_state(self, positions: Tensor, num_shared: int) -> None:
        super()._move_state(positions, num_shared)
        if self._path is not None and len(self._path) == len(positions):
            now, old = self.flat_parameters(), self._path
            self._path = torch.zeros_like(now)
            self._path[positions] = old
            now[positions] = self._start
            self._start = now

    def optimizer_step(self) -> None:
        """Update, and accumulate each parameter's contribution to the decrease of the loss."""
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
