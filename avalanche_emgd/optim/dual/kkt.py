"""How far weights are from the optimality conditions of the elastic dual; see `kkt_residual`."""

from __future__ import annotations

from math import inf, isfinite
from operator import mul, sub

import numpy as np
from torch import Tensor

from ..arrays import Array, as_array
from .problem import Problem, make_problem
from .scalar_problem import ScalarProblem, Scalars

__all__ = ["TOLERANCE", "array_residual", "kkt_residual", "scalar_residual"]

TOLERANCE = 1e-9
"""Largest KKT residual of a solution, whichever method finds it."""

_EPS = float(np.finfo(np.float64).eps)
# Keeps 0/0 zero.
_TINY = float(np.finfo(np.float64).tiny)


def kkt_residual(
    gramian: Tensor,
    weights: Tensor,
    sigma: Tensor | None = None,
    *,
    lower_bound: float = 0.0,
) -> float:
    r"""Violation of the optimality conditions of :func:`solve_dual`, each relative to its scale.

    The dual minimises :math:`\tfrac12 \lambda^T G \lambda` subject to :math:`\tau^T \lambda = 1`
    and :math:`\lambda \ge l`, with :math:`\tau_i = 1/\sigma_i`. The objective is convex and the
    constraints are linear. So the conditions of Karush, Kuhn and Tucker for numbers ν and
    :math:`\mu_i` are necessary and sufficient (Nocedal and Wright, *Numerical Optimization*, 2006,
    chapter 16):

    .. math::

        G \lambda - \nu \tau = \mu \ge 0, \quad
        \tau^T \lambda = 1, \quad
        \lambda \ge l, \quad
        \mu_i (\lambda_i - l_i) = 0

    The product with :math:`\lambda - l` gives
    :math:`\nu = (\lambda - l)^T G \lambda / (1 - \tau^T l)`, which is the squared norm of the
    direction where l = 0. The residual is the largest of these violations:

    - of :math:`\mu \ge 0` and of complementarity, :math:`|\min(s_i, m_i)|` for each objective: the
      natural residual of a complementarity problem (Facchinei and Pang, *Finite-Dimensional
      Variational Inequalities and Complementarity Problems*, 2003, section 1.5).
      :math:`s_i = (\lambda_i - l_i) \|g_i\| / \sum_j \lambda_j \|g_j\|` is the objective's share,
      and :math:`m_i = \mu_i / (\sum_j |G_{ij}| \lambda_j + \bar\nu \tau_i)` its multiplier, as a
      part of the absolute values of its terms (Oettli and Prager 1964), where
      :math:`\bar\nu = (\lambda - l)^T |G| \lambda / (1 - \tau^T l)`. Neither depends on the units
      of gradients and factors, so that a short gradient counts as much as a long one;
    - of the equality, :math:`|\tau^T \lambda - 1|`. With bounds, also what exceeds its rounding
      nε, relative to the part :math:`1 - \tau^T l` that the bounds leave;
    - of the bounds, :math:`\tau_i (l_i - \lambda_i)`.

    Close to their bounds, the differences λ − l have few digits, and ν has few, too. If the
    residual of bounded weights exceeds 1e-9, ν is the smallest :math:`(G \lambda)_i / \tau_i`
    instead, the largest multiplier with :math:`\mu \ge 0`, and :math:`\bar\nu` is its absolute
    value.

    :func:`solve_dual` returns weights with a residual of at most 1e-9. Rounding can make the
    Gramian of dependent gradients indefinite. The residual is then the smaller one of the matrix
    itself and of the closest positive semi-definite matrix.

    :param gramian: Gramian ``[n, n]``.
    :param weights: λ ``[n]``.
    :param sigma: elastic factors ``[n]``; all ones if omitted.
    :param lower_bound: c in [0, 1), as in :func:`solve_dual`.
    :return: the largest relative violation, ≥ 0; about 1e-15 at an exact solution, and infinite
        where float64 cannot hold its terms.
    :raises ValueError: if an argument is out of its range, or the weights have another shape.
    """
    problem = make_problem(gramian, sigma, lower_bound, None)
    if weights.shape != problem.tau.shape:
        raise ValueError(
            f"`weights` must have shape {problem.tau.shape}, found {tuple(weights.shape)}."
        )
    x = problem.unknowns(as_array(weights))
    residual = array_residual(problem, x)
    if residual <= TOLERANCE:
        return residual
    try:
        nearest = problem.on_nearest_gramian()
    except ArithmeticError:  # no Gramian, even up to rounding
        return residual
    return min(residual, array_residual(nearest, x))


@np.errstate(all="ignore")
def array_residual(problem: Problem, x: Array) -> float:
    """KKT residual of a problem in arrays; infinite where float64 cannot tell it.

    :param x: point ``[n]``, in the units of the problem.
    """
    G, tau, lower = problem.G, problem.tau, problem.lower
    bounded = lower[0] > 0.0
    above, room = (x - lower, problem.room) if bounded else (x, 1.0)
    positive, norms = np.abs(x), np.sqrt(G.diagonal())
    v, terms = G.dot(x), np.abs(G).dot(positive)
    distance = np.abs(above) if bounded else positive
    nu, nu_terms = float(above.dot(v)) / room, float(distance.dot(terms)) / room
    shares = above * (norms / (sum((positive * norms).tolist()) or 1.0))
    multipliers = (v - nu * tau) / (terms + nu_terms * tau + _TINY)
    violations = np.abs(np.minimum(shares, multipliers)).tolist()
    feasible = max(abs(float(tau.dot(x)) - 1.0), -min((above * tau).tolist()))
    if not isfinite(sum(violations) + nu_terms + feasible):
        return inf
    found = max(violations)
    if bounded:
        feasible = max(feasible, (feasible - len(tau) * _EPS) / room)
        if not max(found, feasible) <= TOLERANCE:
            finite = tau > 0.0
            nu = float((v[finite] / tau[finite]).min())
            multipliers = (v - nu * tau) / (terms + abs(nu) * tau + _TINY)
            violations = np.abs(np.minimum(shares, multipliers)).tolist()
            found = min(found, max(violations))
    return max(found, feasible)


def scalar_residual(problem: ScalarProblem, u: Scalars, v: Scalars, weights: Scalars) -> float:
    """KKT residual of a problem in Python's numbers: the same formulas.

    :param u: n numbers, not below their bounds, in units of unit gradients.
    :param v: their products with the n rows of the matrix.
    :param weights: the same as λ.
    """
    a, lower_bound = problem.a, problem.lower_bound
    above = list(map(sub, u, problem.lower)) if lower_bound else u
    room = 1.0 - lower_bound
    part = 1.0 / (problem.total * room)  # of the equality, for each above its bound
    parts = [own * part for own in above]
    terms = [sum(map(mul, map(abs, row), u)) for row in problem.C]
    nu, nu_terms = sum(map(mul, parts, v)), sum(map(mul, parts, terms))
    length = sum(u)
    shares = [own / length for own in above]
    violations = _violations(shares, v, terms, a, nu, nu_terms)
    feasible = abs(sum(map(mul, problem.tau, weights)) - 1.0)
    if not isfinite(sum(violations) + nu_terms + feasible):
        return inf
    found = max(violations)
    if lower_bound:
        feasible = max(feasible, (feasible - len(a) * _EPS) / room)
        if not max(found, feasible) <= TOLERANCE:
            nu = min(v[i] / each for i, each in enumerate(a) if each > 0.0)
            found = min(found, max(_violations(shares, v, terms, a, nu, abs(nu))))
    return max(found, feasible)


def _violations(
    shares: Scalars, v: Scalars, terms: Scalars, a: Scalars, nu: float, nu_terms: float
) -> Scalars:
    return [
        abs(min(share, (v[i] - nu * a[i]) / (terms[i] + nu_terms * a[i] + _TINY)))
        for i, share in enumerate(shares)
    ]
