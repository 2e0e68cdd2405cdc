"""The residual of the optimality conditions: one definition, for all methods and for users."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from avalanche_emgd.optim import kkt_residual, solve_dual
from avalanche_emgd.optim.dual.kkt import TOLERANCE, scalar_residual
from avalanche_emgd.optim.dual.scalar_problem import make_scalar_problem
from tests.optim.families import bounds, problems
from tests.tolerance import tolerance

# Of residuals, which are quotients of sums of sums of at most 12 terms.
ROUNDING = tolerance(torch.float64, 12 * 12)
EPS = torch.finfo(torch.float64).eps
dtypes = st.sampled_from([torch.float64, torch.float64, torch.float32, torch.float16])
seeds = st.integers(0, 2**32 - 1)


def feasible(G, sigma, c, seed):
    """Weights that satisfy the equality and the bounds, but are not optimal."""
    rng = np.random.default_rng(seed)
    tau = 1 / sigma
    shares = torch.from_numpy(rng.dirichlet(np.ones(len(G))))
    shares[rng.random(len(G)) < 0.3] = 0.0
    weights = torch.where(tau > 0.0, shares / tau, shares)
    total = float((tau * weights).sum())
    assume(total > 0.0)
    return c / tau.sum() + (1 - c) * weights / total


@pytest.mark.parametrize("solver", ["auto", "cvxopt"])
@given(problems(kinds=("plain", "cone", "duplicates", "opposite", "zero", "near")), bounds, dtypes)
def test_every_answer_is_within_the_tolerance(solver, problem, c, dtype):
    """Also of Gramians that rounding has made indefinite."""
    J, sigma = problem
    G = (J @ J.T).to(dtype)
    try:
        solution = solve_dual(G, sigma, lower_bound=c, solver=solver)
    except ArithmeticError:
        # cvxopt has none for factors that differ much; float16 loses squares of short gradients.
        assert solver == "cvxopt" or dtype == torch.float16
        return
    assert 0.0 <= solution.residual <= TOLERANCE
    assert kkt_residual(G, solution.weights, sigma, lower_bound=c) <= TOLERANCE


@given(problems(max_n=8, spreads=(0.0, 1.0)), bounds, seeds)
def test_numbers_and_arrays_have_one_residual(problem, c, seed):
    J, sigma = problem
    G = J @ J.T
    scalars = make_scalar_problem(G, sigma, c, None)
    assume(scalars is not None)
    weights = feasible(G, sigma, c, seed)
    # Not below their bounds, in the problem's own rounding.
    u = [max(w * n, low) for w, n, low in zip(weights, scalars.norms, scalars.lower, strict=True)]
    v = [sum(x * y for x, y in zip(row, u, strict=True)) for row in scalars.C]
    found = scalar_residual(scalars, u, v, [x / n for x, n in zip(u, scalars.norms, strict=True)])
    expected = kkt_residual(G, weights, sigma, lower_bound=c)
    # Up to the tolerance, rounding decides which multiplier counts.
    assert found == pytest.approx(expected, rel=1e-6, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([0.5, 0.5], 0.0),
        # Gλ = λ and ν = 1; the second multiplier is 0 − 1, of terms that sum to 0 + 1.
        ([1.0, 0.0], 1.0),
        # ν = 5/8; the multipliers are (3/4 − 5/8) / (3/4 + 5/8) and (1/4 − 5/8) / (1/4 + 5/8).
        ([0.75, 0.25], 3 / 7),
        # The equality alone: λ is optimal up to its scale, and ν with it.
        ([0.6, 0.6], 0.2),
        ([0.5, float("nan")], math.inf),
    ],
)
def test_orthogonal_unit_gradients(weights, expected):
    weights = torch.tensor(weights, dtype=torch.float64)
    assert kkt_residual(torch.eye(2), weights) == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("c", [0.5, 0.9])
def test_with_bounds_the_equality_is_relative_to_the_room_they_leave(c):
    """Gλ is ν itself, so that nothing else is violated."""
    epsilon = 1e-6
    weights = torch.full((2,), 0.5 * (1 + epsilon), dtype=torch.float64)
    expected = pytest.approx(epsilon / (1 - c), rel=1e-8)
    assert kkt_residual(torch.eye(2), weights, lower_bound=c) == expected
    u = weights.tolist()
    assert scalar_residual(make_scalar_problem(torch.eye(2), None, c, None), u, u, u) == expected


def test_what_exceeds_a_bound_is_a_share():
    """The bound is 1/4, and both multipliers are zero or positive: the share must be zero."""
    G = torch.tensor([[1.0, 1.0], [1.0, 4.0]])
    # Gλ = (1, 2.5 − 1.5 ε) of λ = (1/2 + ε, 1/2 − ε); all above the bound 1/4 should be the first.
    weights = torch.tensor([0.7, 0.3], dtype=torch.float64)
    found = kkt_residual(G, weights, lower_bound=0.5)
    share = 0.05 * 2.0 / (0.7 + 0.3 * 2.0)
    nu = (0.45 * 1.0 + 0.05 * 1.9) / 0.5
    first = abs(1.0 - nu) / (1.0 + nu)
    assert found == pytest.approx(max(min(share, (1.9 - nu) / (1.9 + nu)), first), abs=ROUNDING)


@given(problems(max_n=8), bounds, seeds)
def test_units_of_gradients_and_factors_do_not_matter(problem, c, seed):
    """Powers of two are exact; with a bound, all objectives need the same."""
    J, sigma = problem
    G = J @ J.T
    rng = np.random.default_rng(seed)
    powers = rng.integers(-20, 20, len(G)) if c == 0.0 else np.full(len(G), rng.integers(-20, 20))
    scale = torch.from_numpy(2.0 ** powers.astype(float))
    weights = feasible(G, sigma, c, seed)
    one = kkt_residual(G, weights, sigma, lower_bound=c)
    scaled = scale[:, None] * G * scale
    other = kkt_residual(scaled, weights / scale, sigma / scale, lower_bound=c)
    assert other == pytest.approx(one, rel=1e-6, abs=ROUNDING / (1 - c))


@given(problems(max_n=8), bounds, st.floats(1e-6, 1e-1))
def test_a_violated_equality_is_measured(problem, c, epsilon):
    J, sigma = problem
    G = J @ J.T
    weights = solve_dual(G, sigma, lower_bound=c).weights * (1 + epsilon)
    assert kkt_residual(G, weights, sigma, lower_bound=c) >= epsilon * (1 - 1e-6)


def by_definition(G, weights, tau, c):
    """Residual of the docstring's formulas, one entry after the other."""
    n = len(G)
    low = [c / sum(tau)] * n
    above = [w - b for w, b in zip(weights, low, strict=True)]
    products = [sum(G[i][j] * weights[j] for j in range(n)) for i in range(n)]
    terms = [sum(abs(G[i][j] * weights[j]) for j in range(n)) for i in range(n)]
    length = sum(abs(weights[i]) * math.sqrt(G[i][i]) for i in range(n))

    def complementarity(nu, nu_terms):
        shares = [above[i] * math.sqrt(G[i][i]) / length for i in range(n)]
        multipliers = [
            (products[i] - nu * tau[i]) / (terms[i] + nu_terms * tau[i]) for i in range(n)
        ]
        return max(abs(min(pair)) for pair in zip(shares, multipliers, strict=True))

    nu, nu_terms = (
        sum(a * each for a, each in zip(factors, values, strict=True)) / (1 - c)
        for factors, values in ((above, products), (map(abs, above), terms))
    )
    found = complementarity(nu, nu_terms)
    equality = abs(sum(t * w for t, w in zip(tau, weights, strict=True)) - 1.0)
    feasible = max([equality, *(-t * a for t, a in zip(tau, above, strict=True))])
    if c > 0.0:
        feasible = max(feasible, (feasible - n * EPS) / (1 - c))
        least = min(products[i] / tau[i] for i in range(n) if tau[i] > 0.0)
        found = min(found, complementarity(least, abs(least)))
    return max(found, feasible)


@given(
    problems(max_n=6, kinds=("plain", "cone", "opposite"), spreads=(0.0, 1.0)),
    bounds,
    seeds,
    st.sampled_from([(1.0, 0.0), (1.0, 0.2), (1.001, 0.0), (0.9, 0.0), (0.5, 0.1)]),
)
def test_residuals_are_those_of_the_definition(problem, c, seed, change):
    """Of weights that are not optimal, and violate the equality or the bounds, too."""
    J, sigma = problem
    G, tau, (scale, noise) = J @ J.T, (1 / sigma).tolist(), change
    weights = scale * feasible(G, sigma, c, seed)
    errors = np.random.default_rng(seed).uniform(-noise, noise, len(G)) / tau_sum(tau)
    weights += torch.from_numpy(errors)
    expected = by_definition(G.tolist(), weights.tolist(), tau, c)
    assume(expected > 1e-6)  # else rounding decides which multiplier counts
    found = kkt_residual(G, weights, sigma, lower_bound=c)
    assert found == pytest.approx(expected, rel=1e-9)
    scalars = make_scalar_problem(G, sigma, c, None)
    if noise or scalars is None:
        return  # plain numbers are never below their bounds
    u = [w * n for w, n in zip(weights.tolist(), scalars.norms, strict=True)]
    assume(all(each >= low for each, low in zip(u, scalars.lower, strict=True)))
    v = [sum(x * y for x, y in zip(row, u, strict=True)) for row in scalars.C]
    assert scalar_residual(scalars, u, v, weights.tolist()) == pytest.approx(expected, rel=1e-9)


def tau_sum(tau):
    return len(tau) * sum(tau)


def test_the_tolerance_is_the_documented_one():
    assert TOLERANCE == 1e-9


def test_numbers_that_float64_cannot_hold_have_an_infinite_residual():
    G = torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    weights = torch.tensor([1e200, 1e200], dtype=torch.float64)
    assert kkt_residual(G, weights) == math.inf
