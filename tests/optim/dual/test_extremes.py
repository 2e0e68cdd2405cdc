"""The elastic dual at the ends of what its arguments may be."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim import kkt_residual, solve_dual
from avalanche_emgd.optim.dual.kkt import TOLERANCE
from tests.optim.families import problems

EPS = torch.finfo(torch.float64).eps
close_to_one = st.sampled_from([0.0, 0.5, 1 - 1e-3, 0.999999, 1 - 1e-9, 1 - 1e-12, 1 - 2**-53])
exponents = st.integers(-12, 12)


def solved(system, right):
    """Solution of a square system of fractions; ``None`` if it is singular."""
    rows = [[*row, value] for row, value in zip(system, right, strict=True)]
    for k in range(len(rows)):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i in range(len(rows)):
            if i != k and rows[i][k] != 0:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def value_of(G, weights):
    n = range(len(G))
    return sum(weights[i] * weights[j] * G[i][j] for i in n for j in n)


def optimum(G, tau, lower):
    """Least λᵀGλ in exact arithmetic, by trying every face."""
    n = len(G)
    room = 1 - sum(t * low for t, low in zip(tau, lower, strict=True))
    slope = [sum(G[i][j] * lower[j] for j in range(n)) for i in range(n)]
    best = None
    for size in range(1, n + 1):
        for face in combinations(range(n), size):
            system = [[*(G[i][j] for j in face), -tau[i]] for i in face]
            system.append([*(tau[j] for j in face), Fraction(0)])
            found = solved(system, [*(-slope[i] for i in face), room])
            if found is None or min(found[:-1]) < 0:
                continue
            weights = list(lower)
            for i, above in zip(face, found[:-1], strict=True):
                weights[i] += above
            value = value_of(G, weights)
            best = value if best is None else min(best, value)
    return best


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=1, max_size=4),
    st.lists(exponents, min_size=4, max_size=4),
    st.sampled_from([0.0, 0.25, 0.5, 0.96875, 1 - 2**-20]),
    st.integers(-500, 500),
)
def test_exact_arithmetic_finds_nothing_better(rows, powers, c, scale):
    """Also of dependent, equal and vanishing gradients, at any scale."""
    n = len(rows)
    G = [[sum(a * b for a, b in zip(g, h, strict=True)) for h in rows] for g in rows]
    sigma = [2.0**power for power in powers[:n]]
    tau = [1 / Fraction(factor) for factor in sigma]
    lower = [Fraction(c) / sum(tau)] * n
    solution = solve_dual(
        torch.tensor(G, dtype=torch.float64) * 2.0**scale, torch.tensor(sigma), lower_bound=c
    )
    weights = [Fraction(weight) for weight in solution.weights.tolist()]
    exact = [[Fraction(entry) for entry in row] for row in G]
    terms = value_of([[abs(entry) for entry in row] for row in exact], weights)
    # A violation ε of the conditions costs at most ε of the terms for each weight above its bound.
    assert value_of(exact, weights) - optimum(exact, tau, lower) <= 2 * n * TOLERANCE * terms
    assert all(
        w >= low * (1 - 4 * n * Fraction(EPS)) for w, low in zip(weights, lower, strict=True)
    )
    expected = float(value_of(exact, weights)) * 2.0**scale
    assert solution.squared_norm == pytest.approx(
        expected, rel=1e-9, abs=1e-12 * float(terms) * 2.0**scale
    )


@given(problems(), close_to_one, st.sampled_from([1e-12, 1.0, 1e9, 1e12]))
def test_bounds_close_to_the_average_and_factors_of_all_sizes(problem, c, size):
    J, sigma = problem
    G, sigma = J @ J.T, sigma * size
    solution = solve_dual(G, sigma, lower_bound=c)
    assert kkt_residual(G, solution.weights, sigma, lower_bound=c) <= TOLERANCE
    tau = 1 / sigma
    assert float(tau @ solution.weights) == pytest.approx(1.0, abs=1e-12)
    assert (solution.weights >= c / tau.sum() * (1 - 1e-12)).all()


@given(st.integers(0, 2**32 - 1))
def test_a_bound_next_to_one_with_a_large_common_factor(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    J = torch.from_numpy(rng.standard_normal((n, 10)) * 10.0 ** rng.uniform(-3, 3, (n, 1)))
    sigma = torch.full((n,), 1e9, dtype=torch.float64)
    weights = solve_dual(J @ J.T, sigma, lower_bound=0.999999).weights
    torch.testing.assert_close(weights, sigma / n, rtol=n * 1e-6, atol=0.0)


@given(problems(max_n=10), close_to_one, st.sampled_from([-990, -400, 400, 990]))
def test_a_power_of_two_on_all_gradients_changes_nothing_at_any_scale(problem, c, exponent):
    J, sigma = problem
    J = J / (J.abs().max() or 1.0)
    G = J @ J.T / J.shape[1]
    # Nothing is lost: entries are either normal numbers afterwards, or zero before.
    G[G.abs() < 2.0**-30] = 0.0
    G.diagonal().add_(1.0)
    one = solve_dual(G, sigma, lower_bound=c)
    other = solve_dual(G * 2.0**exponent, sigma, lower_bound=c)
    torch.testing.assert_close(one.weights, other.weights, rtol=1e-7, atol=1e-12)
    assert kkt_residual(G * 2.0**exponent, one.weights, sigma, lower_bound=c) <= TOLERANCE
    if 0.0 < one.squared_norm * 2.0**exponent < math.inf:
        relative = other.squared_norm / 2.0**exponent / one.squared_norm
        assert relative == pytest.approx(1.0, rel=1e-9)


@given(st.lists(st.integers(-480, 480), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_orthogonal_gradients_of_all_lengths(powers, seed):
    """λ_i ∝ 1/(σ_i ‖g_i‖²), exactly what powers of two give."""
    mantissas = np.random.default_rng(seed).uniform(1.0, 2.0, len(powers))
    squares = np.ldexp(mantissas, 2 * np.array(powers))
    weights = solve_dual(torch.diag(torch.from_numpy(squares))).weights
    shares = [1 / Fraction(square) for square in squares.tolist()]
    total = sum(shares)
    for weight, share in zip(weights.tolist(), shares, strict=True):
        # Shares below the smallest normal number lose digits.
        assert weight == pytest.approx(float(share / total), rel=1e-12, abs=1e-300)


def test_entries_next_to_the_largest_number():
    most = torch.finfo(torch.float64).max
    G = torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    solution = solve_dual(G * most)
    torch.testing.assert_close(solution.weights, torch.tensor([0.5, 0.5]).double())
    assert solution.squared_norm == pytest.approx(0.75 * most)
    beyond = solve_dual(G * most, torch.tensor([4.0, 4.0]))
    torch.testing.assert_close(beyond.weights, torch.tensor([2.0, 2.0]).double())
    assert beyond.squared_norm == math.inf


@pytest.mark.parametrize("size", [1e-310, 1e-300, 1e300, 1e308])
def test_factors_next_to_the_ends_of_the_range(size):
    G = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    one, other = (
        solve_dual(G, torch.ones(2)),
        solve_dual(G, torch.full((2,), size, dtype=torch.float64)),
    )
    digits = 1e-12 if size > 1e-307 else 1e-2  # numbers below the normal ones have few
    torch.testing.assert_close(other.weights / size, one.weights, rtol=digits, atol=0.0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.int8])
@given(st.integers(0, 2**32 - 1))
def test_gramians_of_other_dtypes(dtype, seed):
    """Rounded entries by entry, of parallel gradients among others."""
    rng = np.random.default_rng(seed)
    J = torch.from_numpy(rng.integers(-2, 3, (5, 4))).double()
    if dtype.is_floating_point:
        J *= torch.from_numpy(rng.uniform(0.5, 2.0, (5, 1)))
    G = (J @ J.T).to(dtype)
    weights = solve_dual(G).weights
    assert weights.dtype == torch.float64
    best = solve_dual(J @ J.T).squared_norm
    # Each entry is off by eps / 2 of itself.
    eps = torch.finfo(dtype).eps if dtype.is_floating_point else EPS
    slack = 8 * eps * float(J.norm(dim=1).max()) ** 2
    assert float(weights @ (J @ J.T) @ weights) <= best + slack


def test_the_squared_norm_of_bounded_weights_on_gradients_of_all_lengths():
    """The bound of the longest gradient is far above the weight that it would have."""
    lengths = torch.tensor([1e-140, 1.0, 1e140], dtype=torch.float64)
    G = torch.diag(lengths) @ (torch.eye(3, dtype=torch.float64) + 0.5) @ torch.diag(lengths)
    for size in (1e-200, 1e-10, 1.0):
        solution = solve_dual(G, torch.full((3,), size, dtype=torch.float64), lower_bound=0.25)
        weight, square = Fraction(float(solution.weights[2])), Fraction(float(G[2, 2]))
        assert solution.squared_norm == pytest.approx(float(weight**2 * square), rel=1e-12)
