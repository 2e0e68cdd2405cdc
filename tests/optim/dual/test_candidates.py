import numpy as np
import pytest
import torch

from avalanche_emgd.optim.dual.candidates import ArrayCandidate, ScalarCandidate
from avalanche_emgd.optim.dual.scalar_problem import make_scalar_problem
from tests.optim.families import problem_of

J = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)


def test_the_residual_is_zero_at_the_optimum_only():
    problem = problem_of(J, 0.0)
    assert ArrayCandidate(problem, np.array([0.5, 0.5]), "x").residual() <= 1e-15
    assert ArrayCandidate(problem, np.array([0.9, 0.1]), "x").residual() > 0.1


def test_solutions_have_weights_and_the_squared_norm():
    solution = ArrayCandidate(problem_of(J, 0.0), np.array([0.5, 0.5]), "name").solution(0.0)
    torch.testing.assert_close(solution.weights, torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert solution.squared_norm == pytest.approx(0.5)
    assert solution.solver == "name"


@pytest.mark.parametrize(("n", "name"), [(2, "closed-form"), (3, "active-set")])
def test_plain_numbers_give_the_same(n, name):
    problem = make_scalar_problem(torch.eye(n, dtype=torch.float64), None, 0.0, None)
    u = [1 / n] * n
    candidate = ScalarCandidate(problem, u, u, u)
    assert candidate.residual() <= 1e-15
    solution = candidate.solution(0.25)
    assert solution.squared_norm == pytest.approx(1 / n)
    assert (solution.solver, solution.residual) == (name, 0.25)
