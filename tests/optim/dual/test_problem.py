"""Arguments of the dual that are refused, and the Gramian that is closest to a matrix."""

import math
import sys
from fractions import Fraction

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


LENGTHS = {
    "usual": [1.0, 0.5, 4.0],
    "short": [1e-140, 3e-140, 2e-140],
    "of all lengths": [1e-140, 1.0, 1e140],
    "with one of zero": [1e-140, 0.0, 1e140],
}
FACTORS = {
    "usual": [1.0, 2.0, 0.5],
    "small": [1e-200, 2e-200, 3e-200],
    "of all sizes": [1e130, 1.0, 1e-130],
    "with an infinite one": [1e130, 1.0, math.inf],
}


@pytest.mark.parametrize("c", [0.0, 0.25])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("factors", FACTORS)
def test_the_units_of_a_problem_change_no_digit(lengths, factors, c):
    """Sums, bounds and squared norms are those of λ, G and σ as they are given."""
    lengths, sigma = LENGTHS[lengths], np.array(FACTORS[factors])
    J = torch.eye(3, dtype=torch.float64) + 0.5
    G = J @ J.T * torch.outer(*[torch.tensor(lengths, dtype=torch.float64)] * 2)
    problem = make_problem(G, torch.from_numpy(sigma), c, None)
    usual = max(lengths) == 4.0 and sigma.max() == 2.0
    assert (problem.exponents is None) == usual
    tau = [Fraction(1) / Fraction(each) if math.isfinite(each) else Fraction(0) for each in sigma]
    # Weights of the size that the longest gradients have: 1 / sum of the inverse factors.
    weights = np.array([float((1 + i) / sum(tau)) for i in range(3)])
    x = problem.unknowns(weights)
    np.testing.assert_array_equal(problem.weights(x), weights)
    total = sum(t * Fraction(w) for t, w in zip(tau, weights.tolist(), strict=True))
    assert float(problem.tau.dot(x)) == pytest.approx(float(total), rel=1e-14)
    assert problem.room == pytest.approx(1.0 - c)
    low = problem.weights(problem.lower)
    assert (problem.lower > 0.0).all() == (c > 0.0)
    np.testing.assert_allclose(low, np.full(3, float(Fraction(c) / sum(tau))), rtol=1e-14)
    exact = [[Fraction(float(each)) for each in row] for row in G]
    square = sum(
        Fraction(weights[i]) * exact[i][j] * Fraction(weights[j])
        for i in range(3)
        for j in range(3)
    )
    expected = float(square) if square < Fraction(sys.float_info.max) else math.inf
    assert problem.squared_norm(x) == pytest.approx(expected, rel=1e-12)
    longest = float(problem.G.diagonal().max())
    assert longest == 1.0


def test_lower_bounds_do_not_vanish():
    G = torch.diag(torch.tensor([1e-300, 1e300], dtype=torch.float64))
    sigma = torch.tensor([1e300, 1e-300], dtype=torch.float64)
    assert (make_problem(G, sigma, 0.5, None).lower > 0.0).all()
    assert not make_problem(G, sigma, 0.0, None).lower.any()


@pytest.mark.parametrize("size", [1e-125, 1e125])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_number_near_the_ends_of_the_range_changes_the_units(size, place):
    """Zero and infinity are as good in any units."""
    values = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    G, extreme = torch.diag(values), values.clone()
    extreme[place] = size
    assert make_problem(G, values, 0.0, None).exponents is None
    assert make_problem(G, extreme, 0.0, None).exponents is not None
    assert make_problem(torch.diag(extreme), None, 0.0, None).exponents is not None
    values[place] = math.inf
    assert make_problem(G, values, 0.0, None).exponents is None
    G[place, place] = 0.0
    assert make_problem(G, None, 0.0, None).exponents is None


@pytest.mark.parametrize("n", [3, 12])
def test_small_asymmetries_are_averaged(n):
    G = torch.eye(n, dtype=torch.float64) * 4.0
    G[0, 1], G[1, 0] = 1.0, 1.0 + 1e-6
    for scale, bound in ((1.0, 1e-15), (2.0**-600, 1e-15)):
        symmetric = make_problem(G * scale, None, 0.0, None).G
        assert symmetric[0, 1] == symmetric[1, 0] == pytest.approx(0.25 + 1.25e-7, rel=bound)


@pytest.mark.parametrize("n", [3, 12])
def test_products_that_are_not_finite_are_named(n):
    G = torch.eye(n, dtype=torch.float64)
    G[0, 2] = G[2, 0] = math.nan
    with pytest.raises(ValueError, match="objective 0, 2 is NaN or infinite"):
        make_problem(G, None, 0.0, None)
