"""Min-norm point of a weighted simplex, from the Gramian alone.

Solves, for a correlation matrix ``C`` (unit diagonal, positive semi-definite) and ``a ≥ 0``,

    min over u ≥ 0  ½ uᵀ C u    subject to  aᵀ u = 1

up to the scale of ``u``. The problem is homogeneous: with ``x = u / ν`` its optimality conditions
are ``x ≥ 0, C x − a ≥ 0, xᵀ (C x − a) = 0``, a linear complementarity problem without the equality.
Block principal pivoting solves that one in a handful of dense solves, and Murty's least-index
rule takes over when blocks stop helping, which makes it finite for a positive definite ``C``
(Portugal, Júdice and Vicente, "A comparison of block pivoting and interior-point algorithms for
linear least squares problems with nonnegative variables", 1994). It starts from where leaving out
what falls below zero leads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

Array = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
# How many exchanges of a whole block may fail to reduce the number of infeasible
# indices before single exchanges take over; the value of the cited paper.
_PATIENCE = 3
# Smallest Cholesky pivot with which a system is solved as it is.
_WELL_CONDITIONED = 1e-4
# What is left of a number that should be zero, relative to its surroundings.
_NEGLIGIBLE = 1e-10


def divisors(G: Array) -> Array:
    """Lengths of the gradients of a Gramian, to divide by: 1 for a gradient of length zero."""
    norms = np.sqrt(np.diag(G))
    return np.where(norms > 0.0, norms, 1.0)


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
    part = _solve(C, a)
    if min(part.tolist()) >= 0.0:
        return part  # all objectives take part
    # Usually nobody who has been left out wants to take part again: leave out before asking.
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


def min_norm_shifted(C: Array, a: Array, q: Array, total: float) -> Array:
    """Solve min ½uᵀCu + qᵀu subject to aᵀu = total, u ≥ 0, by a primal active-set method.

    Starts from the best vertex and goes from face to face without ever rising. Slower than
    :func:`min_norm`, but accurate where ``q`` is larger than everything else by many orders.

    :param C: ``[n, n]`` with unit diagonal (or zero, where there is no gradient).
    :param a: ``[n]``, entries ≥ 0, not all zero.
    :param q: ``[n]``.
    :param total: > 0.
    :return: ``u`` of shape ``[n]``, entries ≥ 0; the caller judges it.
    """
    n = len(a)
    magnitude = np.abs(C)
    vertices = np.flatnonzero(a > 0.0)
    reach = total / a[vertices]
    best = np.argmin((0.5 * np.diag(C)[vertices] * reach + q[vertices]) * reach)
    u = np.zeros(n)
    u[vertices[best]] = reach[best]
    support = u > 0.0
    for _ in range(20 + 5 * n):
        index = np.flatnonzero(support)
        target, nu = _on_face(C[np.ix_(index, index)], a[index], q[index], total)
        falling = target < 0.0
        if falling.any():
            here = u[index]
            steps = np.full(len(index), np.inf)
            steps[falling] = here[falling] / (here[falling] - target[falling])
            blocking = int(np.argmin(steps))
            u[index] = np.maximum(here + steps[blocking] * (target - here), 0.0)
            u[index[blocking]] = 0.0
            support[index[blocking]] = False
            continue
        u = np.zeros(n)
        u[index] = target
        slack = C @ u + q - nu * a
        size = magnitude @ u + np.abs(q) + abs(nu) * a
        slack = np.where(support, 0.0, slack / np.where(size > 0.0, size, 1.0))
        if slack.min() >= -16.0 * n * _EPS:
            break
        support[np.argmin(slack)] = True
    return u


def _on_face(C: Array, a: Array, q: Array, total: float) -> tuple[Array, float]:
    """Minimum of ½uᵀCu + qᵀu with aᵀu = total alone, and the multiplier ν.

    One bordered system, not u = ν C⁻¹a − C⁻¹q: where q is large, that is the difference of large
    numbers.
    """
    m = len(a)
    system = np.zeros((m + 1, m + 1))
    system[:m, :m] = C
    system[:m, m], system[m, :m] = -a, a
    right = np.append(-q, total)
    try:
        solution = np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        solution = np.linalg.lstsq(system, right, rcond=None)[0]
    return solution[:m], float(solution[m])


def _solve(C: Array, a: Array) -> Array:
    """Solve C x = a, or the nearest that makes sense where C is singular."""
    if len(a) == 0:
        return np.zeros(0)
    factor, x, failed = dposv(
        C.T, a, lower=1
    )  # by Cholesky; Fortran's order spares a transposition
    if not failed and min(factor.diagonal().tolist()) > _WELL_CONDITIONED:
        return np.asarray(x, dtype=np.float64)
    # Dependent gradients. Where a has no part in the null space (say, of duplicates), the shortest
    # solution treats equals equally. Where it has one, some combination of the gradients vanishes,
    # and x is that combination, as long as a ridge at the level of rounding allows. The ridge
    # enters the optimality conditions relative to their own scale.
    values, vectors = np.linalg.eigh(C)
    coefficients = a @ vectors
    ridge = 4.0 * len(a) * _EPS
    null = values <= ridge * max(1.0, values[-1])
    negligible = np.abs(coefficients) <= _NEGLIGIBLE * np.linalg.norm(a)
    coefficients[null & negligible] = 0.0
    return np.asarray(vectors @ (coefficients / np.where(null, ridge, values)), dtype=np.float64)
