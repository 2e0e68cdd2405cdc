"""MaxDO: gradients weighed by how near the others can come to each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ..._numbers import check_positive, check_whole
from ..checks import without_negligible
from ..dual import solve_dual
from .base import PeerWeighting

__all__ = ["MaxDO", "asymmetric_distance"]


class MaxDO(PeerWeighting):
    r"""MaxDO with the asymmetric gradient distance (Lyu et al., ICCV 2023).

    For each objective i, convex weights a_i combine the other gradients into a vector u near to
    g_i. The distance is ‖u − g_i‖ / (‖u − g_i‖ + ‖g_i‖). With the min-norm weights of all as the
    diagonal, the a_i are the columns of a matrix, and the mean of the columns is λ. Weights sum up
    to (n + 1)/n.

    The paper takes a few gradient steps on a softmax parametrisation. It does not say how many and
    how long: here ``steps`` of length ``rate``, from equal weights, on all objectives at once, from
    the Gramian. The min-norm weights are exact.

    :param steps: number of steps, ≥ 0.
    :param rate: length of a step, > 0.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, steps: int = 20, rate: float = 2.0) -> None:
        super().__init__()
        check_whole("steps", steps, 0)
        check_positive("rate", rate)
        self.steps, self.rate = steps, rate

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        gramian = without_negligible(gramian)
        ones = torch.ones(len(gramian), dtype=torch.float64)
        min_norm = solve_dual(gramian, ones, objectives=objectives).weights
        return (self._others(gramian) + min_norm.diag()).mean(dim=1)

    def _others(self, gramian: Tensor) -> Tensor:
        """Convex weights over the others, one column per objective, with a zero diagonal."""
        n = len(gramian)
        lengths = gramian.diagonal().clamp(min=0.0).sqrt()
        scores = torch.zeros(n, n, dtype=torch.float64)
        scores.fill_diagonal_(-torch.inf)
        for _ in range(self.steps):
            shares = torch.softmax(scores, dim=0)
            gap = gramian @ shares - gramian
            away = ((shares * (gramian @ shares)).sum(0) - 2.0 * (shares * gramian).sum(0)).add(
                gramian.diagonal()
            )
            away = away.clamp(min=0.0).sqrt()
            # Slope of the distance to ‖u − g‖, over ‖u − g‖; where u is g, there is nothing to do.
            slope = lengths / (away + lengths) ** 2 / away
            pull = gap * torch.where(away > 0.0, slope, torch.zeros_like(slope))
            scores = scores - self.rate * shares * (pull - (shares * pull).sum(0))
            scores.fill_diagonal_(-torch.inf)
        return torch.softmax(scores, dim=0)

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"steps={self.steps}, rate={self.rate}"


def asymmetric_distance(candidate: Tensor, gradient: Tensor) -> Tensor:
    """Distance of a candidate u from a gradient g: ‖u − g‖ / (‖u − g‖ + ‖g‖).

    Zero for u = g, 1/2 for u = 0, towards 1 far away; not symmetric (Lyu et al., ICCV 2023).

    :param candidate: candidates ``[..., P]``.
    :param gradient: gradients ``[..., P]``.
    :return: ``[...]`` in [0, 1]; 1 where g is zero and u is not, 0 where both are.
    """
    away = (candidate - gradient).norm(dim=-1)
    total = away + gradient.norm(dim=-1)
    return torch.where(total > 0.0, away / total, torch.zeros_like(total))
