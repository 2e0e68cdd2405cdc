"""The elastic dual, by one method after the other until the optimality conditions hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from math import inf
from typing import Literal, get_args

from torch import Tensor

from .active_set import active_set_candidates, critical_candidates
from .candidates import Candidate
from .few_objectives import few_objectives_candidates
from .interior_point import interior_point_candidates
from .kkt import TOLERANCE
from .problem import make_problem
from .scalar_problem import make_scalar_problem
from .solution import DualSolution

__all__ = ["solve_dual"]

Solver = Literal["auto", "cvxopt"]
_SOLVERS = get_args(Solver)


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
    Fliege and Svaiter (2000) relaxed by σ, and every objective descends: :math:`\langle g_i,
    d\rangle \le -\|d\|^2/\sigma_i`. With σ = 1 and c = 0 it is MGDA. The weights do not change when
    all gradients are multiplied by one number. All computations are in float64. Where several
    weights are optimal (say, for equal gradients), the answer does not depend on the order of the
    objectives.

    :param gramian: Gramian ``[n, n]``, n ≥ 1, entries ⟨g_i, g_j⟩, symmetric and positive
        semi-definite up to rounding; any real dtype, any device, any scale.
    :param sigma: elastic factors ``[n]``, each in (0, ∞]; all ones if omitted. ``inf`` asks of an
        objective only that it does not rise; at least one must be finite.
    :param lower_bound: c in [0, 1): the smallest weight, as a share of the uniform one.
    :param objectives: names for error messages; indices if omitted.
    :param solver: solver, ``"auto"`` (closed forms for n ≤ 2, active-set methods for more, cvxopt's
        interior-point method if these fail) or ``"cvxopt"`` (alone).
    :return: the weights, the squared norm of the direction and the KKT residual.
    :raises ValueError: if an argument is out of its range; a non-finite entry names its objective.
    :raises ArithmeticError: if the matrix is not a Gramian, so that no weights are optimal, or if
        the solver finds none. ``"cvxopt"`` fails on some scales on which ``"auto"`` succeeds.
    """
    if solver not in _SOLVERS:
        raise ValueError(f"`solver` must be one of {_SOLVERS}, found {solver!r}.")
    least = inf
    for candidate in _candidates(gramian, sigma, lower_bound, objectives, solver):
        residual = candidate.residual()
        if residual <= TOLERANCE:
            return candidate.solution(residual)
        least = min(least, residual)
    raise ArithmeticError(
        f"`solver` {solver!r} found no weights that satisfy the optimality conditions "
        f"(relative residual {least:.1e}): the gradients or elastic factors differ by too "
        "many orders of magnitude."
    )


def _candidates(
    gramian: Tensor,
    sigma: Tensor | None,
    lower_bound: float,
    objectives: Sequence[Hashable] | None,
    solver: Solver,
) -> Iterator[Candidate]:
    """Propose weights, those of fast methods first."""
    if solver == "auto":
        usual = make_scalar_problem(gramian, sigma, lower_bound, objectives)
        if usual is not None:
            yield from few_objectives_candidates(usual)
    problem = make_problem(gramian, sigma, lower_bound, objectives)
    yield from critical_candidates(problem)
    if solver == "auto":
        yield from active_set_candidates(problem)
    else:
        yield from interior_point_candidates(problem)
    nearest = problem.on_nearest_gramian()
    if solver == "auto":
        yield from active_set_candidates(nearest)
    yield from interior_point_candidates(nearest)
