import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim.dual.scalar_problem import make_scalar_problem
from tests.optim.families import gradients


@given(gradients(max_n=8, kinds=("plain", "cone", "opposite")), st.sampled_from([0.0, 0.3]))
def test_units_of_the_problem(J, bound):
    n, gramian = len(J), J @ J.T
    sigma = torch.arange(1.0, n + 1).double()
    problem = make_scalar_problem(gramian, sigma, bound, None)
    assert all(problem.C[i][i] == 1.0 for i in range(n))
    assert all(problem.C[i][j] == problem.C[j][i] for i in range(n) for j in range(n))
    assert max(problem.a) == 1.0
    assert max(problem.norms) == 1.0
    assert problem.scale == float(gramian.diagonal().max())
    # The lower bounds together take the share c of the sum that the weights have.
    taken = sum(a * low for a, low in zip(problem.a, problem.lower, strict=True))
    assert taken / problem.total == pytest.approx(bound)


def test_small_asymmetries_are_rounding():
    gramian = torch.tensor([[1.0, 0.5], [0.5 + 1e-6, 1.0]], dtype=torch.float64)
    C = make_scalar_problem(gramian, None, 0.0, None).C
    assert C[0][1] == C[1][0] == pytest.approx(0.5 + 5e-7)


@pytest.mark.parametrize(
    "arguments",
    [
        (torch.eye(9), None, 0.0, None),
        (torch.ones(2, 3), None, 0.0, None),
        (torch.ones(3), None, 0.0, None),
        (torch.diag(torch.tensor([1.0, 0.0])), None, 0.0, None),
        (torch.eye(2) * math.nan, None, 0.0, None),
        (torch.eye(2), torch.tensor([1.0]), 0.0, None),
        (torch.eye(2), torch.tensor([1.0, -1.0]), 0.0, None),
        (torch.eye(2), torch.tensor([math.inf, math.inf]), 0.0, None),
        (torch.eye(2), torch.tensor([1.0, 0.0]), 0.0, None),
        (torch.diag(torch.tensor([1.0, math.inf])), None, 0.0, None),
        (torch.eye(2), None, 1.0, None),
        (torch.eye(2), None, -0.5, None),
        (torch.eye(2), None, 0.0, ["a"]),
        (torch.tensor([[1.0, 0.5], [0.2, 1.0]]), None, 0.0, None),
        (torch.eye(2, dtype=torch.complex64), None, 0.0, None),
    ],
)
def test_everything_else_is_left_to_arrays(arguments):
    assert make_scalar_problem(*arguments) is None
