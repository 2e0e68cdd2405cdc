"""Arguments of the dual that are refused, and the Gramian that is closest to a matrix."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim import kkt_residual, solve_dual
from avalanche_emgd.optim.dual.problem import make_problem
from tests.tolerance import tolerance


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gramian": torch.zeros(2, 3)}, r"`gramian` must be a square.*\(2, 3\)"),
        ({"gramian": torch.zeros(0, 0)}, "at least one row"),
        ({"sigma": torch.tensor([1.0])}, r"`sigma` must have shape \(2,\)"),
        ({"sigma": torch.tensor([1.0, 0.0])}, "`sigma` must be positive, found 0.0.*'b'"),
        ({"sigma": torch.full((2,), float("inf"))}, "at least one"),
        ({"lower_bound": 1.0}, r"`lower_bound` must be in \[0, 1\), found 1.0"),
        ({"solver": "quick"}, "`solver` must be one of .* found 'quick'"),
        ({"objectives": ["a"]}, "`objectives` must name 2 rows"),
        ({"gramian": torch.diag(torch.tensor([1.0, -1.0]))}, "negative diagonal entry.*'b'"),
    ],
)
def test_bad_arguments(arguments, message):
    arguments = {"gramian": torch.eye(2), "objectives": ["a", "b"], **arguments}
    with pytest.raises(ValueError, match=message):
        solve_dual(arguments.pop("gramian"), **arguments)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_non_finite_gradient_is_named(bad):
    J = torch.eye(3)
    J[1, 1] = bad
    with pytest.raises(ValueError, match="objective 'b' is NaN or infinite"):
        solve_dual(J @ J.T, objectives=["a", "b", "c"])


@pytest.mark.parametrize("product", [9.0, 0.9])
def test_other_matrices_than_gramians_are_refused(product):
    p = product
    with pytest.raises(ArithmeticError, match="not positive semi-definite"):
        solve_dual(torch.tensor([[1.0, -p, -p], [-p, 1.0, -p], [-p, -p, 1.0]]))


def test_a_square_that_has_vanished_is_named():
    g = torch.tensor([[1.0, 0.0], [1e-170, 1e-170]], dtype=torch.float64)
    with pytest.raises(ArithmeticError, match=r"diagonal entry 0.0 at objective 'short'.*Scale"):
        solve_dual(g @ g.T, objectives=["long", "short"])


@pytest.mark.parametrize("n", [2, 3, 20])
def test_an_asymmetric_matrix_is_refused(n):
    G = torch.eye(n)
    G[0, 1] = 0.5
    with pytest.raises(ValueError, match=r"must be symmetric, found 0\.5 for objectives 0 and 1"):
        solve_dual(G)


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match=r"real dtype, found torch\.complex64"):
        solve_dual(torch.eye(2, dtype=torch.complex64))


@pytest.mark.parametrize("weights", [torch.ones(3), torch.ones(2, 1), torch.tensor(1.0)])
def test_weights_of_another_shape_are_refused(weights):
    with pytest.raises(ValueError, match=r"`weights` must have shape \(2,\), found"):
        kkt_residual(torch.eye(2), weights)


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_the_closest_gramian_is_semi_definite_and_as_close_as_rounding(n, seed):
    rng = np.random.default_rng(seed)
    J = rng.standard_normal((n, 2)) * 10.0 ** rng.uniform(-3, 3, (n, 1))
    exact = make_problem(torch.from_numpy(J @ J.T), None, 0.0, None)
    rounded = make_problem(torch.from_numpy((J @ J.T).astype(np.float32)), None, 0.0, None)
    nearest = rounded.on_nearest_gramian()
    norms = np.sqrt(np.diag(exact.G))
    C, other = (each.G / np.outer(norms, norms) for each in (nearest, exact))
    assert np.linalg.eigvalsh(C)[0] >= -tolerance(torch.float64, n)
    # No further than twice the rounding of the entries, since the exact matrix is semi-definite.
    assert np.linalg.norm(C - other) <= 4 * n * torch.finfo(torch.float32).eps


def test_a_gradient_of_length_zero_stays_so_in_the_closest_gramian():
    J = np.random.default_rng(0).standard_normal((6, 3))
    J[2] = 0.0
    nearest = make_problem(torch.from_numpy(J @ J.T), None, 0.5, None).on_nearest_gramian()
    assert not nearest.G[2].any()
    assert not nearest.G[:, 2].any()
    assert (np.delete(nearest.G.diagonal(), 2) > 0.0).all()
