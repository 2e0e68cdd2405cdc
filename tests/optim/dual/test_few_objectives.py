"""A few objectives in Python's numbers."""

from unittest.mock import patch

import pytest
import torch
from hypothesis import given

from avalanche_emgd.optim import solve_dual
from avalanche_emgd.optim.dual import scalar_problem
from avalanche_emgd.optim.dual.few_objectives import few_objectives_candidates
from avalanche_emgd.optim.dual.scalar_problem import make_scalar_problem
from tests.optim.families import bounds, problems
from tests.tolerance import tolerance


def candidates_of(gramian, c=0.0):
    problem = make_scalar_problem(torch.as_tensor(gramian).double(), None, c, None)
    return [] if problem is None else list(few_objectives_candidates(problem))


@pytest.mark.parametrize(("c", "held"), [(0.0, 0), (0.3, 1), (0.8, 2)])
def test_plain_numbers_solve_usual_problems(c, held):
    """Nearly orthogonal gradients: all of them take part, or the longest are at their bound."""
    J = torch.diag(torch.tensor([1.0, 1.2, 1.4, 3.0], dtype=torch.float64)) + 0.05
    (candidate,) = candidates_of(J @ J.T, c)
    weights, residual = candidate.weights, candidate.residual()
    squared_norm = candidate.solution(residual).squared_norm
    assert residual <= tolerance(torch.float64, 4)
    assert sum(weights) == pytest.approx(1.0, abs=tolerance(torch.float64, 4))
    assert sum(weight <= c / 4 for weight in weights) == held
    direction = torch.tensor(weights, dtype=torch.float64) @ J
    bound = tolerance(torch.float64, 4 * 4)
    assert squared_norm == pytest.approx(float(direction.square().sum()), rel=bound, abs=0.0)


@pytest.mark.parametrize(
    "gramian",
    [
        [[1.0, 2.0], [2.0, 1.0]],
        [[1.0, 0.5], [-0.5, 1.0]],
        [[1.0, 1.0], [1.0, 1.0]],
        [[1.0, 0.0], [0.0, 0.0]],
        [[1.0, float("nan")], [float("nan"), 1.0]],
        [[float("inf"), 0.0], [0.0, 1.0]],
        [[1e-320, 0.0], [0.0, 1e300]],
        [[-1.0, 0.0], [0.0, 1.0]],
    ],
)
def test_plain_numbers_leave_unusual_problems_to_arrays(gramian):
    assert candidates_of(gramian) == []


@given(problems(max_n=10), bounds)
def test_plain_numbers_and_arrays_agree(problem, c):
    J, sigma = problem
    G = J @ J.T
    plain = solve_dual(G, sigma, lower_bound=c)
    with patch.object(scalar_problem, "_MOST", 0):
        arrays = solve_dual(G, sigma, lower_bound=c)
    difference = (plain.weights - arrays.weights) @ J
    size = float((plain.weights @ J.norm(dim=1)).square())
    assert float(difference.square().sum()) <= 1e-12 * size
    assert abs(plain.squared_norm - arrays.squared_norm) <= 1e-9 * size


def test_an_objective_that_wants_to_take_part_again_is_left_to_other_methods():
    """Three steps hold objectives one after the other; the first would descend in the end."""
    rng = torch.Generator().manual_seed(0)
    returned = 0
    for _ in range(300):
        J = torch.randn(8, 3, generator=rng, dtype=torch.float64) + 0.5
        J = torch.cat([J, 0.3 * torch.eye(8, dtype=torch.float64)], 1)
        if not candidates_of(J @ J.T):
            returned += 1
            assert solve_dual(J @ J.T).residual <= tolerance(torch.float64, 8 * 8)
    assert 0 < returned < 300


@pytest.mark.parametrize(("square", "count"), [(1e-6, 1), (1e-10, 0)])
@pytest.mark.parametrize("c", [0.0, 0.4])
def test_nearly_dependent_gradients_are_left_to_arrays(square, count, c):
    """The squared sine of two gradients is the pivot, which rounding must not reach."""
    cosine = (1.0 - square) ** 0.5
    gramian = torch.tensor([[1.0, cosine], [cosine, 1.0]], dtype=torch.float64)
    found = candidates_of(gramian, c)
    assert len(found) == count
    for each in found:
        assert each.weights == pytest.approx([0.5, 0.5])
        assert each.residual() <= 1e-9
