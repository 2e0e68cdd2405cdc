"""Minimum of a convex quadratic function on a weighted simplex, by a primal active-set method."""

from __future__ import annotations

import numpy as np

from ..arrays import Array

__all__ = ["minimum_on_simplex"]

_EPS = float(np.finfo(np.float64).eps)


def minimum_on_simplex(
    C: Array, a: Array, q: Array, total: float, start: Array | None = None
) -> Array:
    """Solve min ½uᵀCu + qᵀu subject to aᵀu = total, u ≥ 0, by a primal active-set method.

    Goes from face to face without ever rising (Nocedal and Wright, "Numerical Optimization", 2006,
    section 16.5). Slower than block principal pivoting, but
    accurate where ``q`` is larger than everything else by many orders.

    :param C: matrix ``[n, n]`` with unit diagonal (or zero, where there is no gradient).
    :param a: coefficients ``[n]``, entries ≥ 0, not all zero.
    :param q: linear term ``[n]``.
    :param total: right-hand side of the constraint, > 0.
    :param start: first point ``[n]``, entries ≥ 0 with aᵀu = total; the best vertex if omitted.
    :return: ``u`` of shape ``[n]``, entries ≥ 0; the caller judges it.
    """
    n = len(a)
    magnitude = np.abs(C)
    u = _best_vertex(C, a, q, total) if start is None else start
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


def _best_vertex(C: Array, a: Array, q: Array, total: float) -> Array:
    vertices = np.flatnonzero(a > 0.0)
    reach = total / a[vertices]
    best = np.argmin((0.5 * np.diag(C)[vertices] * reach + q[vertices]) * reach)
    u = np.zeros(len(a))
    u[vertices[best]] = reach[best]
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
