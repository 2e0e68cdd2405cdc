"""Nash bargaining between objectives, solved exactly."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ..checks import without_negligible
from .base import PeerWeighting

__all__ = ["NashMTL", "nash_weights"]

_TOLERANCE = 1e-7  # Newton steps converge quadratically: the one taken last squares it
_MAX_STEPS = 200
_RIDGE = 1e-8


class NashMTL(PeerWeighting):
    r"""Nash-MTL (Navon et al., "Multi-task learning as a bargaining game", ICML 2022).

    The bargaining solution has weights α > 0 with :math:`G \alpha = 1/\alpha`. TorchJD's
    implementation fixes n and needs a solver that is no longer maintained (ECOS). Here Newton's
    method solves the equations for any n. The equations do not fix the length of the step; the
    paper takes the largest in a ball. Here the weights are scaled to the sum one. So n = 1 is plain
    descent, and the step shrinks with the gradients, as for the other methods. An objective without
    gradient, which has nothing to bargain for, gets no weight.
    """

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        gramian = without_negligible(gramian)
        kept = gramian.diagonal() > 0.0
        if not bool(kept.any()):
            return torch.full((len(gramian),), 1.0 / len(gramian), dtype=torch.float64)
        weights = torch.zeros(len(gramian), dtype=torch.float64)
        found = nash_weights(gramian[kept][:, kept])
        weights[kept] = found / found.sum()
        return weights


def nash_weights(gramian: Tensor) -> Tensor:
    r"""Solve :math:`G \alpha = 1/\alpha` for α > 0.

    α minimises the strictly convex ½ αᵀGα − Σ log α_i, which is self-concordant: damped Newton
    steps converge from anywhere. At a Pareto-critical point some convex combination of the
    gradients vanishes, and there is no solution. The Gramian of the unit gradients therefore gets
    1e-8 on its diagonal, and α is a large multiple of that combination.

    :param gramian: Gramian ``[n, n]`` float64, positive semi-definite, its diagonal positive.
    :return: ``[n]`` float64.
    """
    lengths = gramian.diagonal().sqrt()
    unit = gramian / lengths[:, None] / lengths[None, :]
    unit.diagonal().add_(_RIDGE)
    alpha = torch.ones(len(gramian), dtype=torch.float64)
    for _ in range(_MAX_STEPS):
        slope = unit @ alpha - 1.0 / alpha
        # In units of 1/alpha, in which the curvature of the logarithm is one.
        curvature = alpha[:, None] * unit * alpha[None, :]
        curvature.diagonal().add_(1.0)
        step = torch.linalg.solve(curvature, -alpha * slope)
        decrement = max(0.0, float((-alpha * slope) @ step)) ** 0.5
        alpha = alpha * (1.0 + step / (1.0 + decrement))
        if decrement < _TOLERANCE:
            return alpha / lengths
    raise RuntimeError(f"no Nash bargaining solution found for the Gramian {gramian.tolist()!r}")
