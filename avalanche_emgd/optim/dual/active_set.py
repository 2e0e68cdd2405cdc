"""Candidates of the active-set methods for arrays."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

import numpy as np

from ..arrays import Array
from .candidates import ArrayCandidate
from .pivoting import min_norm, min_norm_pair
from .primal_active_set import minimum_on_simplex
from .problem import Problem, nonzero_norms

__all__ = ["active_set_candidates", "bounded_optimum", "critical_candidates"]


def critical_candidates(problem: Problem) -> Iterator[ArrayCandidate]:
    """Propose all weight on gradients of length zero: the point is Pareto-critical."""
    x = None
    if problem.scale == 0.0:  # every gradient is zero: all weights are optimal
        uniform = problem.unknowns(np.ones(len(problem.tau)))
        x = uniform / (problem.tau * uniform).sum()
    elif not problem.lower[0]:
        x = _without_gradient(problem.G, problem.tau)
    if x is not None:
        yield ArrayCandidate(problem, x, "closed-form")


def active_set_candidates(problem: Problem) -> Iterator[ArrayCandidate]:
    """Propose the optimum without lower bounds, if it satisfies them, and those with them else."""
    x, name = _unbounded(problem.G, problem.tau)
    if not problem.lower[0] or min((x - problem.lower).tolist()) >= 0.0:
        # No bound, or none that matters: the optimum of the larger set is in the smaller one.
        yield ArrayCandidate(problem, x, name)
        return
    shifted, name = _shifted(problem)
    if shifted is not None:
        yield ArrayCandidate(problem, shifted, name)
    # The shift can swallow short gradients.
    yield ArrayCandidate(problem, bounded_optimum(problem), "active-set")


@np.errstate(all="ignore")
def _shifted(problem: Problem) -> tuple[Array | None, str]:
    """Solve λ = lower + room · x: the dual without bounds of the gradients in the shifted sum.

    These are b_i = τ_i Σ_j lower_j g_j + room · g_i, with the same τ.
    """
    tau, lower, room = problem.tau, problem.lower, problem.room
    M = tau[:, None] * lower
    M.flat[:: len(tau) + 1] += room
    G = M.dot(problem.G).dot(M.T)
    if not isfinite(sum(G.diagonal().tolist())):
        return None, "active-set"
    x, name = _unbounded(G, tau)
    return lower + room * x, name


@np.errstate(all="ignore")
def bounded_optimum(problem: Problem, start: Array | None = None) -> Array:
    """Solve λ = lower + u / norm for u, by a primal active-set method.

    :param start: weights that satisfy the bounds; a vertex if omitted.
    """
    lower, norms = problem.lower, nonzero_norms(problem.G)
    C = problem.G / norms[:, None] / norms[None, :]
    q = problem.G @ lower / norms
    u = None if start is None else (start - lower) * norms
    return lower + minimum_on_simplex(C, problem.tau / norms, q, problem.room, u) / norms


@np.errstate(all="ignore")
def _unbounded(G: Array, tau: Array) -> tuple[Array, str]:
    """Min-norm λ ≥ 0 with τᵀλ = 1; NaN where none is found."""
    squares = G.diagonal()
    if min(squares.tolist()) > 0.0:
        weights, name = _with_gradients(G, tau, np.sqrt(squares))
        return np.full_like(tau, np.nan) if weights is None else weights, name
    x = _without_gradient(G, tau)
    if x is not None:
        return x, "closed-form"
    x = np.zeros_like(tau)
    index = np.flatnonzero(squares > 0.0)
    weights, name = _with_gradients(G[np.ix_(index, index)], tau[index], np.sqrt(squares[index]))
    if weights is None:
        return np.full_like(tau, np.nan), name
    x[index] = weights
    return x, name


def _with_gradients(G: Array, tau: Array, norms: Array) -> tuple[Array | None, str]:
    """Solve the same where every objective has a gradient, of length ``norms``."""
    n = len(tau)
    C = G / norms[:, None] / norms
    C.flat[:: n + 1] = 1.0
    a = tau / norms
    a /= max(a.tolist())
    name = "closed-form"
    u: Array | None
    if n == 1:
        u = np.ones(1)
    elif n == 2:
        u = min_norm_pair(float(C[0, 1]), a)
    else:
        u, name = min_norm(C, a), "active-set"
    if u is None:
        return None, name
    weights = u / norms
    weights /= max(weights.tolist())  # before the sum: its terms may differ by too many orders
    weights /= tau.dot(weights)
    return weights, name


def _without_gradient(G: Array, tau: Array) -> Array | None:
    """All weight on what has no gradient and is not relaxed completely: Pareto-critical."""
    if min(G.diagonal().tolist()) > 0.0:
        return None
    zero = (G.diagonal() <= 0.0) & (tau > 0.0)
    return zero / tau[zero].sum() if zero.any() else None
