"""Weightings of losses: the weighted sum of gradients is the gradient of the weighted losses.

Each keeps its state by the identity of an objective. A task that starts, or a memory that fills up,
starts without state.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ..._numbers import check_not_negative, check_positive, check_whole
from .base import PeerWeighting

__all__ = ["DWA", "CVWeighting", "GradNorm", "UncertaintyWeighting"]


class DWA(PeerWeighting):
    """Dynamic weight average (Liu et al., "End-to-end multi-task learning with attention", 2019).

    The weights are n · softmax(r / T). r is the mean loss of an objective over the last epoch,
    divided by that over the epoch before. A stream is seen once, so ``window`` ticks of the
    objective's take the place of an epoch; until there are two windows, r = 1.

    :param temperature: T > 0; 2 in the paper.
    :param window: ticks, ≥ 1.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, temperature: float = 2.0, window: int = 10) -> None:
        super().__init__()
        check_positive("temperature", temperature)
        check_whole("window", window, 1)
        self.temperature, self.window = temperature, window

    def _observe(self, gramian: Tensor, objectives: Sequence[Hashable]) -> None:
        for objective, loss in zip(objectives, self._given_losses().tolist(), strict=True):
            seen = [*self._state.get(objective, []), loss]
            self._state[objective] = seen[-2 * self.window :]

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        rates = [self._rate(self._state[objective]) for objective in objectives]
        scores = torch.tensor(rates, dtype=torch.float64) / self.temperature
        return len(rates) * torch.softmax(scores, dim=0)

    def _rate(self, seen: list[float]) -> float:
        before, last = sum(seen[: self.window]), sum(seen[self.window :])
        return last / before if len(seen) == 2 * self.window and before > 0.0 else 1.0

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"temperature={self.temperature}, window={self.window}"


class UncertaintyWeighting(PeerWeighting):
    r"""Homoscedastic uncertainty (Kendall, Gal and Cipolla, CVPR 2018).

    Each objective has a learned log-variance s, initially 0, in
    :math:`\sum_i e^{-s_i} L_i + s_i / 2`, so its weight tends to 1/(2 L_i). The log-variances
    follow plain gradient descent, one step per tick.

    :param rate: rate of that descent, > 0.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, rate: float = 0.01) -> None:
        super().__init__()
        check_positive("rate", rate)
        self.rate = rate

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        return torch.tensor([math.exp(-self._before[o]) for o in objectives], dtype=torch.float64)

    def _observe(self, gramian: Tensor, objectives: Sequence[Hashable]) -> None:
        self._before = {o: float(self._state.get(o, 0.0)) for o in objectives}
        for objective, loss in zip(objectives, self._given_losses().tolist(), strict=True):
            variance = self._before[objective]
            self._state[objective] = variance - self.rate * (0.5 - math.exp(-variance) * loss)

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"rate={self.rate}"


class GradNorm(PeerWeighting):
    r"""GradNorm (Chen et al., ICML 2018).

    The weights w are learned. The target of each length w_i‖g_i‖ is the mean length, times the
    objective's relative inverse training rate to the power ``alpha``. The share of an objective is
    L_i divided by its first loss; its rate is the share divided by the mean share. Each tick makes
    one step of gradient descent on the sum of absolute differences, and scales the weights to the
    sum n. Gradients are those of all shared parameters, not of their last layer alone. Their
    lengths count as shares of the mean length, so that the step does not depend on their scale.

    :param alpha: strength of the pull to a common rate, ≥ 0.
    :param rate: rate of the descent, > 0; 0.025 in the paper.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, alpha: float = 1.5, rate: float = 0.025) -> None:
        super().__init__()
        check_not_negative("alpha", alpha)
        check_positive("rate", rate)
        self.alpha, self.rate = alpha, rate

    def _observe(self, gramian: Tensor, objectives: Sequence[Hashable]) -> None:
        for objective, loss in zip(objectives, self._given_losses().tolist(), strict=True):
            self._state.setdefault(objective, [1.0, loss])  # weight, first loss

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        states = [self._state[objective] for objective in objectives]
        weights = torch.tensor([weight for weight, _ in states], dtype=torch.float64)
        weights *= len(weights) / weights.sum()
        first = torch.tensor([loss for _, loss in states], dtype=torch.float64)
        lengths = gramian.diagonal().clamp(min=0.0).sqrt()
        lengths = lengths / (float(lengths.mean()) or 1.0)
        shares = torch.where(first > 0.0, self._given_losses() / first, torch.ones_like(first))
        rates = shares / (float(shares.mean()) or 1.0)
        weighted = weights * lengths
        target = weighted.mean() * rates**self.alpha
        # Positive weights only: a step that would pass zero stops before.
        stepped = (weights - self.rate * torch.sign(weighted - target) * lengths).clamp(min=1e-3)
        stepped *= len(stepped) / stepped.sum()
        for state, weight in zip(states, stepped.tolist(), strict=True):
            state[0] = weight
        return weights

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"alpha={self.alpha}, rate={self.rate}"


class CVWeighting(PeerWeighting):
    r"""Coefficient of variation (Groenendijk et al., "Multi-loss weighting", WACV 2021).

    The weights are proportional to σ/μ of the loss ratio :math:`L_k / \bar L_{k-1}`, with the mean
    loss of the ticks before. σ and μ are over all ticks of the objective so far. The weights sum up
    to one. Objectives with fewer than two ratios count with the mean of the others.
    """

    def _observe(self, gramian: Tensor, objectives: Sequence[Hashable]) -> None:
        for objective, loss in zip(objectives, self._given_losses().tolist(), strict=True):
            ticks, mean_loss, mean, squares = self._state.get(objective, (0, 0.0, 0.0, 0.0))
            if ticks and mean_loss > 0.0:  # Welford's update of the ratios' mean and variance
                ratio = loss / mean_loss
                away = ratio - mean
                mean += away / ticks
                squares += away * (ratio - mean)
            mean_loss += (loss - mean_loss) / (ticks + 1)
            self._state[objective] = (ticks + 1, mean_loss, mean, squares)

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        found = [_variation(*self._state[objective]) for objective in objectives]
        known = [value for value in found if value is not None]
        stand_in = sum(known) / len(known) if known else 1.0
        weights = torch.tensor([stand_in if v is None else v for v in found], dtype=torch.float64)
        total = float(weights.sum())
        return weights / total if total > 0.0 else torch.full_like(weights, 1.0 / len(weights))


def _variation(ticks: int, mean_loss: float, mean: float, squares: float) -> float | None:
    """σ/μ of the ratios, of which there is one less than ticks."""
    return math.sqrt(squares / (ticks - 1)) / mean if ticks > 2 and mean > 0.0 else None
