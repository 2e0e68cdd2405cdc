"""The elastic dual: which weights combine n gradients into one Pareto-descent direction."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product
from math import isfinite
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ._active_set import Array, divisors, min_norm, min_norm_pair, min_norm_shifted
from ._few import solve_few
from ._interior_point import interior_point
from ._kkt import ACCEPT, residual_of, room_of
from ._problem import Problem, as_array, make_problem, not_a_gramian

__all__ = ["DualSolution", "kkt_residual", "solve_dual"]

# Above this residual no answer is given at all.
_REJECT = 1e-6
# Share of the room above the bounds that an interior-point method may leave to a weight that should
# have none of it.
_INTERIOR = 1e-5
# Up to how many objectives plain numbers are used. By themselves, arrays are faster from six on; in
# the middle of training, which evicts them from the caches, from eleven on.
_FEW = 8
Solver = Literal["auto", "cvxopt"]
_SOLVERS = get_args(Solver)


@dataclass(frozen=True)
class DualSolution:
    """Solution of the elastic dual.

    :param weights: λ, shape ``[n]``, float64 on the CPU, entries ≥ 0, Σ λ_i/σ_i = 1.
    :param squared_norm: ‖Σ λ_i g_i‖² = λᵀGλ ≥ 0; zero means Pareto-critical, and infinite that
        float64 cannot hold it.
    :param residual: relative KKT residual, see :func:`kkt_residual`.
    :param solver: what found it: ``"closed-form"``, ``"active-set"`` or ``"cvxopt"``.
    """

    weights: Tensor
    squared_norm: float
    residual: float
    solver: str


def solve_dual(
    gramian: Tensor,
    sigma: Tensor | None = None,
    *,
    lower_bound: float = 0.0,
    objectives: Sequence[Hashable] | None = None,
    solver: Solver = "auto",
) -> DualSolution:
    r"""Solve the dual of elastic multi-gradient descent (arXiv 2401.01054) exactly.

    .. math::

        \min_{\lambda} \tfrac12 \Big\| \sum_i \lambda_i g_i \Big\|^2
        \quad\text{subject to}\quad
        \sum_i \lambda_i / \sigma_i = 1,\quad
        \lambda_i \ge c \cdot \Big(\sum_j 1/\sigma_j\Big)^{-1}

    With c = 0 the direction :math:`d = -\sum_i \lambda_i g_i` is the steepest common descent of
    Fliege and Svaiter (2000) relaxed by σ, and every objective descends:
    :math:`\langle g_i, d\rangle \le -\|d\|^2/\sigma_i`. With σ = 1 and c = 0 it is MGDA. The
    weights do not change when all gradients are multiplied by one number, and everything is
    computed in float64 whatever comes in. Where several weights are optimal (say, for equal
    gradients), the answer does not depend on the order of the objectives.

    :param gramian: ``[n, n]``, n ≥ 1, entries ⟨g_i, g_j⟩, symmetric and positive semi-definite up
        to rounding; any real dtype, any device, any scale.
    :param sigma: elastic factors ``[n]``, each in (0, ∞]; all ones if omitted. ``inf`` asks of an
        objective only that it does not rise; at least one must be finite.
    :param lower_bound: c in [0, 1): the smallest weight, as a share of the uniform one.
    :param objectives: names for error messages; indices if omitted.
    :param solver: ``"auto"`` (closed forms for n ≤ 2, active-set methods for more, each checked
        by its KKT residual and handed to cvxopt should it fail) or ``"cvxopt"``.
    :return: the weights, the squared norm of the direction and the KKT residual.
    :raises ValueError: if an argument is out of its range; a non-finite entry names its objective.
    :raises ArithmeticError: if the matrix is not a Gramian, so that no weights are optimal, or if
        none are found, which cvxopt alone does not manage on some scales that ``"auto"`` does.
    """
    if solver not in _SOLVERS:
        raise ValueError(f"`solver` must be one of {_SOLVERS}, found {solver!r}.")
    if solver == "auto":
        found = _in_plain_numbers(gramian, sigma, lower_bound, objectives)
        if found is not None:
            return found
    problem = make_problem(gramian, sigma, lower_bound, objectives)
    G, tau, lower = problem.G, problem.tau, problem.lower
    if problem.scale == 0.0:  # every gradient is zero: all weights are optimal
        uniform = problem.unknowns(np.ones(len(tau)))
        weights = problem.weights(uniform / (tau * uniform).sum())
        return DualSolution(torch.from_numpy(weights), 0.0, 0.0, "closed-form")
    trivial = _without_gradient(G, tau) if lower_bound == 0.0 else None
    if trivial is not None:
        weights = problem.weights(trivial)
        return DualSolution(torch.from_numpy(weights), 0.0, 0.0, "closed-form")
    if solver == "cvxopt":
        x, residual, name = _by_interior_point(G, tau, lower)
    elif problem.exponents is None:
        G, (x, residual, name) = _by_all_means(problem)
    else:
        with np.errstate(all="ignore"):  # the residual tells
            G, (x, residual, name) = _by_all_means(problem)
    if not residual <= _REJECT:
        raise ArithmeticError(
            f"`solver` {solver!r} found no weights that satisfy the optimality conditions "
            f"(relative residual {residual:.1e}): the gradients or elastic factors differ by too "
            "many orders of magnitude."
        )
    return _solution(problem, G, x, residual, name)


def _by_all_means(problem: Problem) -> tuple[Array, tuple[Array, float, str]]:
    """Solve by the first method whose answer is accepted; the Gramian that it has solved for."""
    G, tau, lower = problem.G, problem.tau, problem.lower
    found = _by_fast_path(G, tau, lower)
    if found[1] <= ACCEPT:
        return G, found
    # float32 Gramians of dependent gradients can be slightly indefinite
    G = _nearest_gramian(G, problem.rounding)
    found = _by_fast_path(G, tau, lower)
    if found[1] <= ACCEPT:
        return G, found
    try:
        return G, _by_interior_point(G, tau, lower)
    except ArithmeticError:  # of numbers of too many sizes
        return G, found


def _solution(problem: Problem, G: Array, x: Array, residual: float, name: str) -> DualSolution:
    value = float(x.dot(G.dot(x)))
    if value < 0.0 and value < -problem.rounding * float(x @ np.abs(G) @ x):
        raise not_a_gramian("it gives the direction a negative squared norm")
    squared_norm = problem.squared_norm(max(0.0, value))
    return DualSolution(torch.from_numpy(problem.weights(x)), squared_norm, residual, name)


def kkt_residual(
    gramian: Tensor,
    weights: Tensor,
    sigma: Tensor | None = None,
    *,
    lower_bound: float = 0.0,
) -> float:
    """Violation of the optimality conditions of :func:`solve_dual`, each relative to its own scale.

    With v = Gλ, ν the multiplier of the equality and l the lower bound, the conditions are
    v_i − ν/σ_i ≥ 0, with equality where λ_i > l_i. Each is measured against the sum of the absolute
    values of the terms that v_i and ν/σ_i are sums of, so that the residual does not hide a small
    objective behind a large one; complementarity as the smaller of that and of the objective's
    share of Σ_j λ_j ‖g_j‖.

    :param gramian: ``[n, n]``.
    :param weights: λ ``[n]``.
    :param sigma: elastic factors ``[n]``; all ones if omitted.
    :param lower_bound: c in [0, 1), as in :func:`solve_dual`.
    :return: the largest relative violation, ≥ 0; about 1e-15 at an exact solution.
    """
    problem = make_problem(gramian, sigma, lower_bound, None)
    found = problem.unknowns(as_array(weights))
    return residual_of(problem.G, problem.tau, problem.lower, found)


def _in_plain_numbers(
    gramian: Tensor,
    sigma: Tensor | None,
    lower_bound: float,
    objectives: Sequence[Hashable] | None,
) -> DualSolution | None:
    """Solution of what is usual in a tick; whatever is not, wrong arguments included, is left."""
    n = gramian.shape[0] if gramian.ndim == 2 else 0
    if not 0 < n <= _FEW or gramian.shape[1] != n or not 0.0 <= lower_bound < 1.0:
        return None
    if gramian.is_complex():
        return None
    if objectives is not None and len(objectives) != n:
        return None
    tau = [1.0] * n
    if sigma is not None:
        factors = sigma.tolist()
        if sigma.ndim != 1 or len(factors) != n or not all(factor > 0.0 for factor in factors):
            return None
        tau = [1.0 / factor for factor in factors]
    found = solve_few(gramian.tolist(), tau, lower_bound)
    if found is None or not found[2] <= ACCEPT:
        return None
    weights, squared_norm, residual = found
    name = "closed-form" if n <= 2 else "active-set"
    return DualSolution(torch.from_numpy(np.array(weights)), squared_norm, residual, name)


def _by_fast_path(G: Array, tau: Array, lower: Array) -> tuple[Array, float, str]:
    weights, name = _homogeneous(G, tau)
    if not lower[0] or min((weights - lower).tolist()) >= 0.0:
        # No bound, or none that matters: the optimum of the larger set is in the smaller one.
        return weights, residual_of(G, tau, lower, weights), name
    # The bounded weights λ = lower + room·x are the plain dual of the shifted gradients
    # b_i = τ_i Σ_j lower_j g_j + room·g_i, with the same τ.
    room = room_of(tau, lower)
    M = tau[:, None] * lower
    M.flat[:: len(tau) + 1] += room
    shifted = M.dot(G).dot(M.T)
    residual, name = float("inf"), "active-set"
    if isfinite(sum(shifted.diagonal().tolist())):
        x, name = _homogeneous(shifted, tau)
        weights = lower + room * x
        residual = residual_of(G, tau, lower, weights)
    if not residual <= ACCEPT:  # the shift has swallowed short gradients
        norms = divisors(G)
        C = G / norms[:, None] / norms[None, :]
        u = min_norm_shifted(C, tau / norms, G @ lower / norms, room)
        weights = lower + u / norms
        residual = residual_of(G, tau, lower, weights)
    return weights, residual, name


def _homogeneous(G: Array, tau: Array) -> tuple[Array, str]:
    """Min-norm λ ≥ 0 with τᵀλ = 1."""
    squares = G.diagonal()
    if min(squares.tolist()) > 0.0:
        weights, name = _min_norm(G, tau, np.sqrt(squares))
        return np.full_like(tau, np.nan) if weights is None else weights, name
    x = _without_gradient(G, tau)
    if x is not None:
        return x, "closed-form"
    x = np.zeros_like(tau)
    index = np.flatnonzero(squares > 0.0)
    weights, name = _min_norm(G[np.ix_(index, index)], tau[index], np.sqrt(squares[index]))
    if weights is None:
        return np.full_like(tau, np.nan), name
    x[index] = weights
    return x, name


def _min_norm(G: Array, tau: Array, norms: Array) -> tuple[Array | None, str]:
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


def _by_interior_point(G: Array, tau: Array, lower: Array) -> tuple[Array, float, str]:
    above = interior_point(G, tau, lower) - lower
    room = room_of(tau, lower)
    answers = []
    # An interior point is never quite at a bound: try its smallest entries there, too.
    for negligible, free in product((0.0, _INTERIOR), (True, False)):
        kept = np.where((above * tau > negligible * room) | ((tau == 0.0) & free), above, 0.0)
        total = float(tau @ kept)
        if not total > 0.0:
            continue
        weights = lower + kept * (room / total)
        answers.append((residual_of(G, tau, lower, weights), weights))
    if not answers:
        return lower, float("inf"), "cvxopt"
    residual, weights = min(answers, key=lambda answer: answer[0])
    return weights, residual, "cvxopt"


def _nearest_gramian(G: Array, rounding: float) -> Array:
    """Closest positive semi-definite matrix, in the geometry of unit gradients."""
    norms = divisors(G)
    values, vectors = np.linalg.eigh(G / np.outer(norms, norms))
    if values[0] < -rounding * len(G):
        raise not_a_gramian(f"its smallest normalised eigenvalue is {values[0]:.1e}")
    C = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return C * np.outer(norms, norms)
