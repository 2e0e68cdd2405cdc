"""The interior-point method beside the active-set methods."""

from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings

from avalanche_emgd.optim import solve_dual
from avalanche_emgd.optim.dual import interior_point, solve
from avalanche_emgd.optim.dual.kkt import TOLERANCE
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
