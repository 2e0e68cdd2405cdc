import math
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim.dual import active_set
from avalanche_emgd.optim.dual.active_set import (
    active_set_candidates,
    bounded_optimum,
    critical_candidates,
)
from avalanche_emgd.optim.dual.kkt import array_residual
from avalanche_emgd.optim.dual.problem import make_problem
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


def with_factors(J, sigma, bound=0.0):
    return make_problem(J @ J.T, torch.tensor(sigma, dtype=torch.float64), bound, None)


@given(gradients(max_n=6, kinds=("plain",)), st.sampled_from([0.0, 0.4]))
def test_each_candidate_of_independent_gradients_is_the_optimum(J, bound):
    """So that no slower method is asked, even if its answer would be the same."""
    n = len(J)
    J = torch.cat([J, 3.0 * torch.eye(n, dtype=torch.float64)], dim=1)
    sigma = torch.linspace(1.0, 2.0, n, dtype=torch.float64).tolist()
    candidates = list(active_set_candidates(with_factors(J, sigma, bound)))
    assert max(each.residual() for each in candidates) <= 1e-9
    assert len(candidates) <= 2
    assert len(candidates) == 1 or bound > 0.0
    name = "closed-form" if n <= 2 else "active-set"
    assert candidates[0].solver == name


def test_a_bound_that_matters_has_two_candidates():
    """The shifted problem swallows short gradients: the second one does not."""
    J = torch.diag(torch.tensor([1.0, 2.0, 8.0], dtype=torch.float64))
    for bound, count in ((0.01, 1), (0.5, 2)):
        candidates = list(active_set_candidates(with_factors(J, [1.0, 2.0, 0.5], bound)))
        assert len(candidates) == count
        assert max(each.residual() for each in candidates) <= 1e-12


@pytest.mark.parametrize("bound", [0.0, 0.5])
@pytest.mark.parametrize("size", [1.0, 2.0**500])
def test_without_any_gradient_all_weights_are_equal(bound, size):
    sigma = [size, 2.0 * size, 4.0 * size]
    problem = with_factors(torch.zeros(3, 2, dtype=torch.float64), sigma, bound)
    (found,) = critical_candidates(problem)
    assert problem.weights(found.x).tolist() == pytest.approx([4 / 7 * size] * 3, rel=1e-15)
    assert found.residual() == pytest.approx(0.0, abs=1e-15)


def test_the_optimum_beside_a_gradient_of_length_zero():
    J = torch.diag(torch.tensor([0.0, 2.0, 0.5, 1.0], dtype=torch.float64))
    problem = with_factors(J, [2.0, 1.0, 1.0, 1.0])
    (found,) = active_set_candidates(problem)  # all weight is on what is nothing
    assert problem.weights(found.x).tolist() == [2.0, 0.0, 0.0, 0.0]
    assert found.solver == "closed-form"
    relaxed = with_factors(J, [math.inf, 1.0, 1.0, 1.0])
    (found,) = active_set_candidates(relaxed)  # nothing is asked of it: it is as if not there
    shares = [0.0, 1 / 4, 4.0, 1.0]
    expected = [share / sum(shares) for share in shares]
    assert relaxed.weights(found.x).tolist() == pytest.approx(expected, rel=1e-14)
    assert list(critical_candidates(relaxed)) == []
    with patch.object(active_set, "min_norm", return_value=None):  # an indefinite matrix
        (found,) = active_set_candidates(relaxed)
    assert found.residual() == math.inf


@pytest.mark.parametrize("n", [1, 2, 3])
def test_numbers_of_all_sizes_stay_within_the_range(n):
    """Up to where a problem is solved in the gradients' own units."""
    J = torch.eye(n, dtype=torch.float64) + 0.1
    J *= 1e-59
    with np.errstate(all="raise"):
        for sigma in (1e-119, 1.0, 1e119):
            for bound in (0.0, 0.9):
                for each in active_set_candidates(with_factors(J, [sigma] * n, bound)):
                    assert each.residual() <= 1e-14


def test_a_shift_that_overflows_is_left_out():
    """The bound of the long gradient is far above the weight that it would have."""
    J = torch.diag(torch.tensor([1e100, 1e-100], dtype=torch.float64))
    with np.errstate(all="raise"):
        (found,) = active_set_candidates(with_factors(J, [1.0, 1.0], 0.5))
    assert found.residual() <= 1e-15


@given(gradients(max_n=6, kinds=("plain", "cone")))
def test_where_a_bounded_optimum_starts_does_not_matter(J):
    J = torch.cat([J, torch.eye(len(J), dtype=torch.float64)], dim=1)
    problem = problem_of(J, 0.5)
    start = np.full(len(J), 1.0 / len(J))
    found = bounded_optimum(problem, start)
    np.testing.assert_allclose(found, bounded_optimum(problem), rtol=1e-9)
