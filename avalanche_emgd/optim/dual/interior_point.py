"""The elastic dual by cvxopt's interior-point method: general, slower, independent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import cvxopt
import numpy as np
from cvxopt import solvers

from ..arrays import Array
from .active_set import bounded_optimum
from .candidates import ArrayCandidate
from .kkt import array_residual
from .problem import Problem, nonzero_norms

__all__ = ["interior_point_candidates"]

_OPTIONS = {
    "show_progress": False,
    "abstol": 1e-13,
    "reltol": 1e-13,
    "feastol": 1e-13,
    "maxiters": 200,
}


# Share of the range above the bounds that an interior-point method may leave to a weight that
# should be at its bound.
_NEGLIGIBLE = 1e-5


def interior_point_candidates(problem: Problem) -> Iterator[ArrayCandidate]:
    """Propose what the interior-point method finds, and where an active-set method goes from there.

    An interior point is never quite at a bound: its smallest entries are tried there, too. Near an
    optimum that is not unique, half of its digits are wrong. A few steps of an active-set method
    correct them.
    """
    with np.errstate(all="ignore"):
        x = _interior_point(problem.G, problem.tau, problem.lower)
        if x is not None:
            x = _with_some_at_bounds(problem, x)
    if x is None:
        return
    yield ArrayCandidate(problem, x, "cvxopt")
    yield ArrayCandidate(problem, bounded_optimum(problem, x), "cvxopt")


def _with_some_at_bounds(problem: Problem, x: Array) -> Array | None:
    """Round an interior point in four ways; the one with the smallest residual."""
    tau, lower, room = problem.tau, problem.lower, problem.room
    above = x - lower
    answers = []
    for negligible, free in product((0.0, _NEGLIGIBLE), (True, False)):
        kept = np.where((above * tau > negligible * room) | ((tau == 0.0) & free), above, 0.0)
        total = float(tau @ kept)
        if total > 0.0:
            rounded = lower + kept * (room / total)
            answers.append((array_residual(problem, rounded), rounded))
    return min(answers, key=lambda answer: answer[0])[1] if answers else None


def _interior_point(G: Array, tau: Array, lower: Array) -> Array | None:
    """Solve min ½ λᵀGλ subject to τᵀλ = 1, λ ≥ lower.

    Works on gradients scaled to unit length, where the interior-point method meets numbers
    of one size; the bounds are given to it as they are.

    :param G: Gramian ``[n, n]`` with at least one positive diagonal entry.
    :param tau: reciprocals ``1/σ``, entries ≥ 0, at least one positive.
    :param lower: lower bounds on λ, with τᵀ lower < 1.
    :return: λ ``[n]``; ``None`` if cvxopt finds none.
    """
    n = len(tau)
    norms = nonzero_norms(G)
    a = tau / norms
    scale = a.max()
    a /= scale  # u is measured in 1/scale, so that aᵀu = 1 keeps numbers of order one
    try:
        answer = solvers.qp(
            P=cvxopt.matrix(G / np.outer(norms, norms)),
            q=cvxopt.matrix(0.0, (n, 1)),
            G=cvxopt.matrix(-np.eye(n)),
            h=cvxopt.matrix(-lower * norms * scale),
            A=cvxopt.matrix(a[None, :]),
            b=cvxopt.matrix(1.0),
            options=_OPTIONS,
        )
    except (ValueError, ArithmeticError):  # a singular system, an overflow
        return None
    if answer["x"] is None:
        return None
    u = np.array(answer["x"], dtype=np.float64).ravel()
    return np.maximum(u / (norms * scale), lower)
