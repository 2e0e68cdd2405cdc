import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim.dual.active_set import (
    active_set_candidates,
    bounded_optimum,
    critical_candidates,
)
from avalanche_emgd.optim.dual.kkt import array_residual
from tests.optim.families import gradients, problem_of


@given(gradients(max_n=9, kinds=("plain", "cone", "opposite", "near")), st.sampled_from([0.0, 0.5]))
def test_the_optimum_is_among_the_candidates(J, bound):
    problem = problem_of(J, bound)
    residuals = [each.residual() for each in active_set_candidates(problem)]
    assert min(residuals) <= 1e-9


@given(gradients(max_n=6, kinds=("plain", "cone")))
def test_optima_with_bounds_satisfy_them(J):
    problem = problem_of(J, 0.5)
    x = bounded_optimum(problem)
    assert (x >= problem.lower * (1 - 1e-12)).all()
    assert array_residual(problem, x) <= 1e-9


def test_gradients_of_length_zero_take_all_weight():
    J = torch.tensor([[1.0, 0], [0, 0], [0, 0]], dtype=torch.float64)
    (found,) = critical_candidates(problem_of(J, 0.0))
    assert found.x[0] == 0.0
    assert found.x[1] == found.x[2] > 0.0
    assert found.residual() == pytest.approx(0.0)
    assert list(critical_candidates(problem_of(J, 0.5))) == []
    assert len(list(critical_candidates(problem_of(0 * J, 0.5)))) == 1
