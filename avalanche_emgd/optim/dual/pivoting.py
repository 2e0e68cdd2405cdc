"""Min-norm point of a weighted simplex, by block principal pivoting.

Solves, for a correlation matrix ``C`` (unit diagonal, positive semi-definite) and ``a ≥ 0``,

    min over u ≥ 0  ½ uᵀ C u    subject to  aᵀ u = 1

up to the scale of ``u``. The problem is homogeneous: with ``x = u / ν`` its optimality conditions
are ``x ≥ 0, C x − a ≥ 0, xᵀ (C x − a) = 0``, a linear complementarity problem without the equality.
Block principal pivoting takes a few dense solves (Portugal, Júdice and Vicente, "A comparison of
block pivoting and interior-point algorithms for linear least squares problems with nonnegative
variables", 1994). When exchanges of blocks stop helping, Murty's least-index rule takes their
place. With that rule the method is finite for a positive definite ``C``. The start is the result of
a repeated removal of negative entries.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dposv

from ..arrays import Array

__all__ = ["min_norm", "min_norm_pair"]

_EPS = float(np.finfo(np.float64).eps)
# Exchanges of a whole block that may fail to reduce the number of infeasible indices, before single
# exchanges take over; the value of the cited paper.
_PATIENCE = 3
# Smallest Cholesky pivot with which a system is solved as it is.
_WELL_CONDITIONED = 1e-4
# Bound of the rounding of a number that should be zero, relative to its terms.
_NEGLIGIBLE = 1e-10


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

    :param C: matrix ``[n, n]`` with unit diagonal.
    :param a: coefficients ``[n]``, entries ≥ 0, not all zero.
    :return: ``u`` of shape ``[n]``, entries ≥ 0, or ``None`` if no complementary solution was found
        (possible only where rounding has made ``C`` indefinite).
    """
    n = len(a)
    part = _solve(C, a)
    if min(part.tolist()) >= 0.0:
        return part  # all objectives take part
    # Usually an objective that is left out stays out: its slack is computed once no entry is
    # negative.
    index = (part >= 0.0).nonzero()[0]
    while len(index):
        part = _solve(C.take(index, 0).take(index, 1), a[index])
        if min(part.tolist()) >= 0.0:
            break
        index = index[part >= 0.0]
    fewest, patience = n + 1, _PATIENCE
    for _ in range(20 + 5 * n):
        x = np.zeros(n)
        x[index] = part
        signs = C.dot(x) - a  # of the slack, and of what takes part
        signs[index] = part
        if min(signs.tolist()) >= 0.0:
            return x
        support = np.zeros(n, dtype=bool)
        support[index] = True
        tolerance = (16.0 * n * _EPS) * (np.abs(C).dot(np.abs(x)) + a)
        infeasible = signs < np.where(support, 0.0, -tolerance)
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
        index = (support ^ infeasible).nonzero()[0]
        part = _solve(C.take(index, 0).take(index, 1), a[index])
    return None


def _solve(C: Array, a: Array) -> Array:
    """Solve C x = a, or the nearest that makes sense where C is singular."""
    if len(a) == 0:
        return np.zeros(0)
    # By Cholesky; Fortran's order spares a transposition.
    factor, x, failed = dposv(C.T, a, lower=1)
    if not failed and min(factor.diagonal().tolist()) > _WELL_CONDITIONED:
        return np.asarray(x, dtype=np.float64)
    # Dependent gradients. Where a has no part in the null space (say, of duplicates), the shortest
    # solution treats equals equally. Where it has one, some combination of the gradients vanishes.
    # x is that combination, up to a ridge at the level of rounding. The ridge enters the optimality
    # conditions relative to their own scale.
    values, vectors = np.linalg.eigh(C)
    coefficients = a @ vectors
    ridge = 4.0 * len(a) * _EPS
    null = values <= ridge * max(1.0, values[-1])
    negligible = np.abs(coefficients) <= _NEGLIGIBLE * np.linalg.norm(a)
    coefficients[null & negligible] = 0.0
    return np.asarray(vectors @ (coefficients / np.where(null, ridge, values)), dtype=np.float64)
