"""The elastic dual: which weights combine n gradients into one Pareto-descent direction."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product
from math import isfinite, isinf
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ._active_set import Array, divisors, min_norm, min_norm_pair, min_norm_shifted
from ._few import solve_few
from ._interior_point import interior_point
from .gramian import check_finite

__all__ = ["DualSolution", "kkt_residual", "solve_dual"]

# Above this residual a fast answer is not accepted, and cvxopt is asked.
_ACCEPT = 1e-9
# Above this one no answer is given at all.
_REJECT = 1e-6
# Share of a weight that an interior-point method may leave where there should be none.
_INTERIOR = 1e-5
# How far from positive semi-definite a normalised Gramian may be: float16's rounding.
_ROUNDING = 1e-3
# Up to how many objectives plain numbers are used. By themselves, arrays are faster from six on; in
# the middle of training, which evicts them from the caches, from eleven on.
_FEW = 8
_KNOWN_TO_NUMPY = (torch.float64, torch.float32)
# Keeps 0/0 zero.
_TINY = float(np.finfo(np.float64).tiny)

Solver = Literal["auto", "cvxopt"]
_SOLVERS = get_args(Solver)


@dataclass(frozen=True)
class DualSolution:
    """Solution of the elastic dual.

    :param weights: λ, shape ``[n]``, float64 on the CPU, entries ≥ 0, Σ λ_i/σ_i = 1.
    :param squared_norm: ‖Σ λ_i g_i‖² = λᵀGλ ≥ 0; zero means Pareto-critical.
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
    G, tau, scale = _checked(gramian, sigma, lower_bound, objectives)
    lower = _lower(tau, lower_bound)
    if scale == 0.0:  # every gradient is zero: all weights are optimal
        weights, name = np.full(len(tau), 1.0 / tau.sum()), "closed-form"
        return DualSolution(torch.from_numpy(weights), 0.0, 0.0, name)
    trivial = _without_gradient(G, tau) if lower_bound == 0.0 else None
    if trivial is not None:
        return DualSolution(torch.from_numpy(trivial), 0.0, 0.0, "closed-form")
    if solver == "cvxopt":
        weights, residual, name = _by_interior_point(G, tau, lower)
    else:
        weights, residual, name = _by_fast_path(G, tau, lower)
        if residual > _ACCEPT:
            # float32 Gramians of dependent gradients can be slightly indefinite
            G = _nearest_gramian(G)
            weights, residual, name = _by_fast_path(G, tau, lower)
        if residual > _ACCEPT:
            weights, residual, name = _by_interior_point(G, tau, lower)
    if not residual <= _REJECT:
        raise ArithmeticError(
            f"`solver` {solver!r} found no weights that satisfy the optimality conditions "
            f"(relative residual {residual:.1e}): the gradients or elastic factors differ by too "
            "many orders of magnitude."
        )
    squared_norm = float(weights.dot(G.dot(weights)))
    if squared_norm < 0.0 and squared_norm < -_ROUNDING * float(weights @ np.abs(G) @ weights):
        raise _not_a_gramian("it gives the direction a negative squared norm")
    return DualSolution(torch.from_numpy(weights), max(0.0, squared_norm) * scale, residual, name)


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
    G, tau, _ = _checked(gramian, sigma, lower_bound, None)
    return _residual(G, tau, _lower(tau, lower_bound), _array(weights))


def _checked(
    gramian: Tensor,
    sigma: Tensor | None,
    lower_bound: float,
    objectives: Sequence[Hashable] | None,
) -> tuple[Array, Array, float]:
    """Validate and convert to the symmetric Gramian, τ = 1/σ, and the largest squared norm.

    By that the Gramian has been divided, unless it is zero. Both are float64.
    """
    if gramian.ndim != 2 or gramian.shape[0] != gramian.shape[1] or gramian.shape[0] == 0:
        raise ValueError(
            f"`gramian` must be a square matrix with at least one row, found shape "
            f"{tuple(gramian.shape)}."
        )
    if not 0.0 <= lower_bound < 1.0:
        raise ValueError(f"`lower_bound` must be in [0, 1), found {lower_bound!r}.")
    # This is in every tick: one comparison, and sums of Python's where nothing is wrong, which are
    # faster than numpy's for a few numbers.
    G = _array(gramian)
    n = len(G)
    names: Sequence[Hashable] = range(n) if objectives is None else objectives
    if len(names) != n:
        raise ValueError(f"`objectives` must name {n} rows, found {len(names)}: {names!r}.")
    squares = G.diagonal().tolist()
    if not isfinite(sum(squares)):  # or finite numbers have a sum that is not
        check_finite(gramian, names)
    if min(squares) < 0.0:
        i = squares.index(min(squares))
        raise ValueError(
            f"`gramian` has the negative diagonal entry {G[i, i]!r} at objective {names[i]!r}; "
            "a squared norm cannot be negative."
        )
    norms = np.sqrt(G.diagonal())
    if not (np.abs(G) <= (1.0 + _ROUNDING) * norms * norms[:, None]).all():
        check_finite(gramian, names)
        raise _not_a_gramian("an entry is larger than the product of the norms")
    scale = max(squares)
    symmetric = (G + G.T) / (2.0 * scale or 1.0)
    if sigma is None:
        return symmetric, np.ones(n), scale
    s = _array(sigma)
    if s.shape != (n,):
        raise ValueError(f"`sigma` must have shape ({n},), found {s.shape}.")
    factors = s.tolist()
    if not (min(factors) > 0.0 and sum(factors) > 0.0):  # or one is NaN, which not every min is
        name, factor = next((k, f) for k, f in zip(names, factors, strict=True) if not f > 0.0)
        raise ValueError(f"`sigma` must be positive, found {factor!r} at objective {name!r}.")
    if isinf(min(factors)):
        raise ValueError("`sigma` must be finite for at least one objective, found only inf.")
    return symmetric, 1.0 / s, scale


def _array(tensor: Tensor) -> Array:
    if not tensor.is_cpu or tensor.requires_grad or tensor.dtype not in _KNOWN_TO_NUMPY:
        tensor = tensor.detach().cpu().double()
    return np.asarray(tensor.numpy(), dtype=np.float64)


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
    if objectives is not None and len(objectives) != n:
        return None
    tau = [1.0] * n
    if sigma is not None:
        factors = sigma.tolist()
        if sigma.ndim != 1 or len(factors) != n or not all(factor > 0.0 for factor in factors):
            return None
        tau = [1.0 / factor for factor in factors]
    found = solve_few(gramian.tolist(), tau, lower_bound)
    if found is None or not found[2] <= _ACCEPT:
        return None
    weights, squared_norm, residual = found
    name = "closed-form" if n <= 2 else "active-set"
    return DualSolution(torch.from_numpy(np.array(weights)), squared_norm, residual, name)


def _lower(tau: Array, lower_bound: float) -> Array:
    """Lower bounds of the weights."""
    return np.full(len(tau), lower_bound / sum(tau.tolist()) if lower_bound else 0.0)


def _not_a_gramian(why: str) -> ArithmeticError:
    return ArithmeticError(
        f"`gramian` is not positive semi-definite ({why}), so no weights are optimal. Compute it "
        "from the gradients in float64."
    )


def _residual(G: Array, tau: Array, lower: Array, weights: Array) -> float:
    bounded = lower[0] > 0.0
    above, room = weights, 1.0
    if bounded:
        above, room = weights - lower, 1.0 - float(tau.dot(lower))
    positive = np.abs(weights)
    v = G.dot(weights)
    nu = float(above.dot(v)) / room
    size = np.abs(G).dot(positive)
    distance = np.abs(above) if bounded else positive
    size += (float(distance.dot(size)) / room) * tau  # of v_i, and of the sum that ν is
    size += _TINY  # size is zero only where the numerator is
    slack = (v - nu * tau) / size
    length = positive * np.sqrt(G.diagonal())
    total = sum(length.tolist())
    if not isfinite(total):
        return float("inf")
    share = above / (weights + (weights <= 0.0)) if bounded else np.sign(weights)
    if total > 0.0:
        share *= length / total
    # Where the slack is negative, so is the smaller of the two.
    violations = np.abs(np.minimum(share, slack)).tolist()
    bounds = (above * tau).tolist()
    return max(*violations, abs(float(tau.dot(weights)) - 1.0), -min(bounds))


def _by_fast_path(G: Array, tau: Array, lower: Array) -> tuple[Array, float, str]:
    weights, name = _homogeneous(G, tau)
    if not lower[0] or min((weights - lower).tolist()) >= 0.0:
        # No bound, or none that matters: the optimum of the larger set is in the smaller one.
        return weights, _residual(G, tau, lower, weights), name
    # The bounded weights λ = lower + room·x are the plain dual of the shifted gradients
    # b_i = τ_i Σ_j lower_j g_j + room·g_i, with the same τ.
    room = 1.0 - float(tau.dot(lower))
    M = tau[:, None] * lower
    M.flat[:: len(tau) + 1] += room
    x, name = _homogeneous(M.dot(G).dot(M.T), tau)
    weights = lower + room * x
    residual = _residual(G, tau, lower, weights)
    if residual > _ACCEPT:  # the shift has swallowed short gradients
        norms = divisors(G)
        C = G / norms[:, None] / norms[None, :]
        u = min_norm_shifted(C, tau / norms, G @ lower / norms, room)
        weights = lower + u / norms
        residual = _residual(G, tau, lower, weights)
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
    room = 1.0 - float(tau @ lower)
    answers = []
    # An interior point is never quite at a bound: try its smallest entries there, too.
    for negligible, free in product((0.0, _INTERIOR), (True, False)):
        kept = np.where((above * tau > negligible) | ((tau == 0.0) & free), above, 0.0)
        weights = lower + kept * (room / float(tau @ kept))
        answers.append((_residual(G, tau, lower, weights), weights))
    residual, weights = min(answers, key=lambda answer: answer[0])
    return weights, residual, "cvxopt"


def _nearest_gramian(G: Array) -> Array:
    """Closest positive semi-definite matrix, in the geometry of unit gradients."""
    norms = divisors(G)
    values, vectors = np.linalg.eigh(G / np.outer(norms, norms))
    if values[0] < -_ROUNDING * len(G):
        raise _not_a_gramian(f"its smallest normalised eigenvalue is {values[0]:.1e}")
    C = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return C * np.outer(norms, norms)
