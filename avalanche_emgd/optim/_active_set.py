"""Min-norm point of a weighted simplex, from the Gramian alone.

Solves, for a correlation matrix ``C`` (unit diagonal, positive semi-definite) and ``a ≥ 0``,

    min over u ≥ 0  ½ uᵀ C u    subject to  aᵀ u = 1

up to the scale of ``u``. The problem is homogeneous: with ``x = u / ν`` its optimality conditions
are ``x ≥ 0, C x − a ≥ 0, xᵀ (C x − a) = 0``, a linear complementarity problem without the equality.
Block principal pivoting solves that one in a handful of dense solves, and Murty's least-index
rule takes over when blocks stop helping, which makes it finite for a positive definite ``C``
(Portugal, Júdice and Vicente, "A comparison of block pivoting and interior-point algorithms for
linear least squares problems with nonnegative variables", 1994).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
# How many exchanges of a whole block may fail to reduce the number of infeasible
# indices before single exchanges take over; the value of the cited paper.
_PATIENCE = 3


def min_norm_pair(correlation: float, a: Array) -> Array:
    """Solve for two objectives in closed form, up to the scale of ``u``.

    :param correlation: cosine of the two gradients.
    :param a: two entries ≥ 0, not both zero.
    :return: ``u``, two entries ≥ 0.
    """
    u = np.array([a[0] - correlation * a[1], a[1] - correlation * a[0]])
    if u[0] <= 0.0 and u[1] <= 0.0:  # the same gradient twice
        return np.ones(2)
    return np.maximum(u, 0.0)


def min_norm(C: Array, a: Array) -> Array | None:
    """Solve by block principal pivoting, up to the scale of ``u``.

    :param C: ``[n, n]`` with unit diagonal.
    :param a: ``[n]``, entries ≥ 0, not all zero.
    :return: ``u`` of shape ``[n]``, entries ≥ 0, or ``None`` if no complementary solution was found
        (possible only where rounding has made ``C`` indefinite).
    """
    n = len(a)
    # A ridge at the level of rounding makes every subsystem solvable and picks, among
    # many solutions (say, of duplicate gradients), the symmetric one. It enters the
    # optimality conditions relative to their own scale, so they hold to the same accuracy.
    H = C + (4.0 * n * _EPS) * np.eye(n)
    magnitude = np.abs(C)
    support = np.ones(n, dtype=bool)
    fewest, patience = n + 1, _PATIENCE
    for _ in range(20 + 5 * n):
        x = np.zeros(n)
        index = np.flatnonzero(support)
        try:
            x[index] = np.linalg.solve(H[np.ix_(index, index)], a[index])
        except np.linalg.LinAlgError:
            return None
        slack = C @ x - a
        tolerance = (16.0 * n * _EPS) * (magnitude @ np.abs(x) + a)
        infeasible = np.where(support, x < 0.0, slack < -tolerance)
        count = int(infeasible.sum())
        if count == 0:
            return x
        if count < fewest:
            fewest, patience = count, _PATIENCE
        elif patience > 0:
            patience -= 1
        else:
            last = np.flatnonzero(infeasible)[-1]
            infeasible[:] = False
            infeasible[last] = True
        support ^= infeasible
    return None
