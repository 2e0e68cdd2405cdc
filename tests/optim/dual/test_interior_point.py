"""The interior-point method beside the active-set methods."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from avalanche_emgd.optim import solve_dual
from avalanche_emgd.optim.dual import active_set, interior_point, solve
from avalanche_emgd.optim.dual.interior_point import interior_point_candidates
from avalanche_emgd.optim.dual.kkt import TOLERANCE, array_residual
from avalanche_emgd.optim.dual.problem import make_problem
from tests.optim.families import TAME, bounds, problems, vertex_scale
from tests.tolerance import tolerance


@given(problems(max_n=8, kinds=TAME, spreads=(0.0, 1.0)), bounds)
def test_agrees_with_cvxopt(problem, c):
    J, sigma = problem
    G = J @ J.T
    ours, theirs = (solve_dual(G, sigma, lower_bound=c, solver=s) for s in ("auto", "cvxopt"))
    assert theirs.solver == "cvxopt" or theirs.squared_norm == 0.0
    uniform = 1.0 / float((1 / sigma).sum())
    size = vertex_scale(J, sigma) + float(G.diagonal().max()) * (c * uniform) ** 2
    # The squares of what cancels; their rounding is all that is left near Pareto-criticality.
    terms = max(float(s.weights @ G.abs() @ s.weights) for s in (ours, theirs))
    error = abs(ours.squared_norm - theirs.squared_norm)
    assert error <= 1e-6 * size + tolerance(torch.float64, 8 * 8, terms)


@settings(max_examples=50)
@given(problems(max_n=10, kinds=TAME, spreads=(0.0, 1.0)), bounds)
def test_it_takes_over_where_active_set_methods_find_nothing(problem, c):
    J, sigma = problem
    G = J @ J.T + torch.eye(len(J))  # independent gradients, which are what it is good at
    with (
        patch.object(solve, "make_scalar_problem", return_value=None),
        patch.object(solve, "active_set_candidates", return_value=()),
    ):
        solution = solve_dual(G, sigma, lower_bound=c)
    assert solution.solver == "cvxopt"
    assert solution.residual <= TOLERANCE


@pytest.mark.parametrize("answer", [{"x": None}, ValueError("a singular matrix")])
def test_what_it_does_not_solve_is_said(answer):
    effect = {"side_effect": answer} if isinstance(answer, Exception) else {"return_value": answer}
    with (
        patch.object(interior_point.solvers, "qp", **effect),
        pytest.raises(ArithmeticError, match="`solver` 'cvxopt' found no weights"),
    ):
        solve_dual(torch.eye(3), solver="cvxopt")


def problem_of_rows(rows, sigma, c):
    J = torch.tensor(rows, dtype=torch.float64)
    return make_problem(J @ J.T, torch.tensor(sigma, dtype=torch.float64), c, None)


INF = float("inf")


@pytest.mark.parametrize("c", [0.0, 0.5])
@pytest.mark.parametrize(
    ("rows", "sigma", "optimum"),
    [
        # The first gradient is the shortest of a cone: all the room is its own.
        ([[1.0, 0.0], [2.0, 1.0], [2.0, -1.5]], [1.0, 2.0, 0.5], [1.0, 0.0, 0.0]),
        # Nothing is asked of the second one, which does not rise anyway.
        ([[1.0, 0.0], [2.0, 1.0]], [2.0, INF], [2.0, 0.0]),
        # It would rise, and takes part as far as it must not.
        ([[1.0, 0.0], [-1.0, 1.0]], [1.0, INF], [1.0, 0.5]),
        # A long gradient has a small weight, which is not mistaken for nothing.
        ([[1.0, 0.0], [0.0, 3000.0]], [1.0, 1.0], [1.0, 1 / 9e6]),
    ],
)
def test_interior_points_are_rounded_to_their_bounds(rows, sigma, optimum, c):
    """Weights just above their bounds are put there, those that belong there are kept."""
    problem = problem_of_rows(rows, sigma, c)
    bounded = active_set.bounded_optimum(problem)
    assert array_residual(problem, bounded) <= 1e-12
    if c == 0.0:
        expected = np.array(optimum) / np.dot(problem.tau, optimum)
        np.testing.assert_allclose(bounded, expected, rtol=1e-9, atol=1e-15)
    inside = bounded + 1e-9 * (bounded <= problem.lower)
    found = interior_point._with_some_at_bounds(problem, inside)
    np.testing.assert_allclose(found, bounded, rtol=1e-8, atol=1e-15)
    with patch.object(interior_point, "_interior_point", return_value=inside):
        first, _ = interior_point_candidates(problem)
    assert np.array_equal(first.x, found)
    assert array_residual(problem, found) <= min(TOLERANCE, array_residual(problem, inside))


@pytest.mark.parametrize("c", [0.0, 0.5])
def test_interior_points_are_those_of_the_dual(c):
    """To half of the digits, before an active-set method corrects the rest."""
    problem = problem_of_rows([[1.0, 0.0], [0.5, 2.0], [-0.2, 8.0]], [1.0, 0.2, 3.0], c)
    expected = active_set.bounded_optimum(problem)
    found = interior_point._interior_point(problem.G, problem.tau, problem.lower)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    for each in interior_point_candidates(problem):
        assert each.residual() <= TOLERANCE
        assert each.solver == "cvxopt"
