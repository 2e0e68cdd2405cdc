"""DB-MTL: moving averages of the gradients of log losses, made equally long."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ..._numbers import check_in_range, check_not_negative
from ..checks import without_negligible
from .gradient_state import GradientStateWeighting

__all__ = ["DBMTL"]

_LEAST_LOSS = 1e-8


class DBMTL(GradientStateWeighting):
    r"""Dual-balancing (Lin et al., "Dual-balancing for multi-task learning", arXiv 2308.12029).

    The gradient of each objective's log loss goes into a moving average, and the averages, scaled
    to the length of the longest, are added up:

    .. math:: u_i \leftarrow \beta_k u_i + (1 - \beta_k) \frac{g_i}{L_i + 10^{-8}}, \qquad
        \beta_k = \beta / k^{p}, \qquad d = -\sum_i \frac{\max_j \|u_j\|}{\|u_i\|} u_i

    with u = 0 before the objective's first tick, k = 1. The weights are those of the u_i, which
    :meth:`see` returns in the place of the gradients. An objective whose u is shorter than 1e-12 of
    the longest gets none. A lone objective follows its own gradient, which the average takes note
    of.

    :param beta: β in [0, 1); the authors choose it for each benchmark.
    :param power: p ≥ 0, by which β decays over an objective's ticks; the authors take 0 or ½.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, beta: float = 0.9, power: float = 0.0) -> None:
        super().__init__()
        check_in_range("beta", beta, 0.0, 1.0, open_above=True)
        check_not_negative("power", power)
        self.beta, self.power = beta, power

    def _look(self, gradients: Tensor, objectives: Sequence[Hashable]) -> Tensor | None:
        losses = self._given_positive_losses(objectives).tolist()
        averages = []
        for objective, row, loss in zip(objectives, gradients, losses, strict=True):
            ticks, before = self._state.get(objective, (0, None))
            kept = self.beta / (ticks + 1) ** self.power
            average = row * ((1.0 - kept) / (loss + _LEAST_LOSS))
            if before is not None and kept > 0.0:
                average.add_(before, alpha=kept)
            self._state[objective] = (ticks + 1, average)
            averages.append(average)
        return torch.stack(averages) if len(averages) > 1 else None

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        lengths = without_negligible(gramian).diagonal().clamp(min=0.0).sqrt()
        longest = float(lengths.max())
        if longest == 0.0:  # no objective has a gradient
            return torch.full_like(lengths, 1.0 / len(lengths))
        return torch.where(lengths > 0.0, longest / lengths, torch.zeros_like(lengths))

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"beta={self.beta}, power={self.power}"
