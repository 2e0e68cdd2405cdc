"""The elastic dual of a few objectives in Python's numbers, where its arguments are usual.

A tick has a handful of objectives. Python's numbers solve such small problems faster than a library
for large ones, whose code and data are no longer in the caches in the middle of training.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import inf, isfinite, sqrt
from operator import truediv
from typing import NamedTuple

from torch import Tensor

__all__ = ["Matrix", "ScalarProblem", "Scalars", "make_scalar_problem"]

Scalars = list[float]
Matrix = list[Scalars]

# Up to how many objectives Python's numbers are used. By themselves, arrays are faster from six on;
# in the middle of training, which evicts them from the caches, from eleven on.
_MOST = 8
# Smallest share of the longest gradient whose square has all its digits.
_LEAST = 1e-150
# How far from symmetric a normalised Gramian may be.
_ROUNDING = 1e-3


class ScalarProblem(NamedTuple):
    """Minimise ½ uᵀCu subject to aᵀu = total, u ≥ lower, where λ_i = u_i / norm_i.

    :param C: Gramian of the unit gradients, symmetric ``[n, n]``.
    :param a: factors ``1/σ_i`` in the units of u, entries in [0, 1], the largest one 1.
    :param lower: lower bounds in the units of u.
    :param total: right-hand side of the constraint, > 0.
    :param tau: reciprocals ``1/σ_i``.
    :param norms: lengths of the gradients as shares of the longest, entries in (0, 1].
    :param lower_bound: c in [0, 1).
    :param scale: squared norm of the longest gradient.
    """

    C: Matrix
    a: Scalars
    lower: Scalars
    total: float
    tau: Scalars
    norms: Scalars
    lower_bound: float
    scale: float


def make_scalar_problem(
    gramian: Tensor,
    sigma: Tensor | None,
    lower_bound: float,
    objectives: Sequence[Hashable] | None,
) -> ScalarProblem | None:
    """Make the problem of usual arguments of :func:`~avalanche_emgd.optim.solve_dual`.

    :return: ``None`` for more than 8 objectives, for a gradient of length zero, for numbers near
        the ends of float64's range, and for wrong arguments.
    """
    shape = gramian.shape
    n = shape[0] if len(shape) == 2 else 0
    if not 0 < n <= _MOST or shape[1] != n or not 0.0 <= lower_bound < 1.0:
        return None
    if gramian.is_complex() or (objectives is not None and len(objectives) != n):
        return None
    tau = [1.0] * n
    if sigma is not None:
        if len(sigma.shape) != 1 or len(sigma) != n:
            return None
        factors = sigma.tolist()
        if not min(factors) > 0.0:
            return None
        tau = [1.0 / factor for factor in factors]
    rows = gramian.tolist()
    squares = [row[i] for i, row in enumerate(rows)]
    if not (isfinite(sum(squares)) and min(squares) > 0.0):
        return None
    scale = max(squares)
    norms = [sqrt(square / scale) for square in squares]
    if min(norms) < _LEAST:
        return None
    C = _normalised(rows, scale, norms)
    if C is None:
        return None
    a = list(map(truediv, tau, norms))
    largest, sum_of_tau = max(a), sum(tau)
    if not (0.0 < largest < inf and sum_of_tau < inf):  # or a factor is NaN
        return None
    a = [each / largest for each in a]
    least = lower_bound / sum_of_tau
    lower = [least * norm for norm in norms]
    return ScalarProblem(C, a, lower, 1.0 / largest, tau, norms, lower_bound, scale)


def _normalised(gramian: Matrix, scale: float, norms: Scalars) -> Matrix | None:
    """Gramian of the unit gradients, symmetric; ``None`` if it was far from that."""
    C: Matrix = []
    for i, row in enumerate(gramian):
        norm = norms[i]
        own: Scalars = []
        for j, above in enumerate(C):
            entry = row[j] / scale / norm / norms[j]
            if row[j] != gramian[j][i]:
                mirrored = gramian[j][i] / scale / norm / norms[j]
                if not abs(entry - mirrored) <= _ROUNDING:
                    return None
                entry = 0.5 * (entry + mirrored)
            own.append(entry)
            above.append(entry)
        own.append(1.0)
        C.append(own)
    return C
