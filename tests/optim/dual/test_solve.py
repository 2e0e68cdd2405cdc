"""The elastic dual, by its properties."""

from contextlib import ExitStack
from itertools import combinations
from unittest.mock import Mock, patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim import kkt_residual, solve_dual
from avalanche_emgd.optim.dual import solve
from avalanche_emgd.optim.dual.kkt import TOLERANCE
from tests.optim.families import TAME, bounds, gradients, problems, vertex_scale
from tests.tolerance import tolerance

# Of what is computed in float64 from at most 12 objectives in some ten steps.
ROUNDING = tolerance(torch.float64, 12 * 10)


def same(weights, expected):
    expected = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(weights, expected, rtol=0.0, atol=ROUNDING)


def min_norm_by_enumeration(J):
    """Squared norm of the min-norm point of the hull, by trying every face."""
    best = np.inf
    longest = float(J.norm(dim=1).max()) or 1.0
    rows = J.numpy() / longest
    for size in range(1, len(rows) + 1):
        for face in combinations(range(len(rows)), size):
            points = rows[list(face)]
            system = np.zeros((size + 1, size + 1))
            system[:size, :size] = points @ points.T
            system[:size, size] = system[size, :size] = 1.0
            weights = np.linalg.lstsq(system, np.eye(size + 1)[size], rcond=None)[0][:size]
            is_solved = abs(weights.sum() - 1.0) < 1e-9  # elsewhere it is off by a tenth or more
            if is_solved and (weights > -1e-12).all():
                best = min(best, float(np.sum((weights @ points) ** 2)))
    return best * longest**2


@given(problems(), bounds)
def test_optimality_conditions_hold(problem, c):
    J, sigma = problem
    G = J @ J.T
    solution = solve_dual(G, sigma, lower_bound=c)
    assert solution.residual <= TOLERANCE
    assert kkt_residual(G, solution.weights, sigma, lower_bound=c) <= TOLERANCE
    assert (solution.weights >= c / (1 / sigma).sum() * (1 - ROUNDING)).all()
    assert float((solution.weights / sigma).sum()) == pytest.approx(1.0, abs=ROUNDING)
    assert solution.weights.dtype == torch.float64


@given(problems())
def test_every_objective_descends(problem):
    J, sigma = problem
    solution = solve_dual(J @ J.T, sigma)
    d = -solution.weights @ J
    # The residual is relative to these sums; ⟨g_i, d⟩ has other rounding than the Gramian.
    terms = (J @ J.T).abs() @ solution.weights
    room = TOLERANCE * (terms + solution.weights @ terms / sigma)
    room += ROUNDING * J.norm(dim=1) * (solution.weights @ J.norm(dim=1) + d.norm())
    assert (J @ d <= -d.square().sum() / sigma + room).all()


@given(gradients(max_n=6, kinds=("plain", "cone", "duplicates", "opposite", "zero")))
def test_equal_factors_give_the_min_norm_point_of_the_hull(J):
    solution = solve_dual(J @ J.T)
    size = vertex_scale(J, torch.ones(len(J)))
    assert solution.squared_norm == pytest.approx(min_norm_by_enumeration(J), abs=1e-8 * size)


@given(problems(max_n=8), bounds, st.randoms(use_true_random=False))
def test_order_of_objectives_does_not_matter(problem, c, random):
    J, sigma = problem
    order = list(range(len(J)))
    random.shuffle(order)
    one = solve_dual(J @ J.T, sigma, lower_bound=c)
    G = (J @ J.T)[order][:, order]
    other = solve_dual(G, sigma[order], lower_bound=c)
    # Nearly parallel gradients have many weights of nearly the same direction: compare that.
    difference = (one.weights[order] - other.weights) @ J[order]
    size = float((one.weights @ J.norm(dim=1)).square())
    assert float(difference.square().sum()) <= 1e-12 * size


def test_equal_gradients_share_their_weight():
    G = torch.ones(4, 4)
    same(solve_dual(G).weights, [0.25] * 4)
    G = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    same(solve_dual(G).weights, [1 / 3] * 3)


@given(problems(max_n=8), st.floats(-30, 30), bounds)
def test_one_factor_on_all_gradients_changes_nothing(problem, exponent, c):
    J, sigma = problem
    G = J @ J.T
    if float(G.diagonal().max()) > 1e12:  # 1e30 · 1e60 is beyond what is asked for
        return
    one = solve_dual(G, sigma, lower_bound=c)
    other = solve_dual(G * 2.0 ** round(exponent / 0.30103), sigma, lower_bound=c)
    torch.testing.assert_close(one.weights, other.weights, rtol=ROUNDING, atol=0.0)


@given(problems(max_n=8, kinds=TAME), st.integers(0, 2**32 - 1))
def test_a_longer_gradient_with_a_smaller_factor_is_the_same_objective(problem, seed):
    J, sigma = problem
    scale = torch.from_numpy(10.0 ** np.random.default_rng(seed).uniform(-3, 3, len(J)))
    one = solve_dual(J @ J.T, sigma)
    scaled = J * scale[:, None]
    other = solve_dual(scaled @ scaled.T, sigma / scale)
    size = float((one.weights @ J.norm(dim=1)).square())
    difference = one.weights @ J - other.weights @ scaled
    assert float(difference.square().sum()) <= 1e-10 * size


@given(st.floats(1e-15, 1e15), st.floats(1e-3, 1e3))
def test_one_objective(norm, sigma):
    solution = solve_dual(torch.tensor([[norm**2]]), torch.tensor([sigma]))
    bound = torch.finfo(torch.float32).eps  # of sigma
    assert float(solution.weights[0]) == pytest.approx(sigma, rel=bound, abs=0.0)
    assert solution.solver == "closed-form"


@given(st.integers(0, 2**32 - 1))
def test_two_objectives(seed):
    g, h = torch.from_numpy(np.random.default_rng(seed).standard_normal((2, 3)))
    share = float(((h - g) @ h / (h - g).square().sum()).clamp(0.0, 1.0))
    J = torch.stack([g, h])
    weights = solve_dual(J @ J.T).weights
    apart = float((g - h).square().sum() / (g.square().sum() + h.square().sum()))
    expected = torch.tensor([share, 1.0 - share], dtype=torch.float64)
    bound = tolerance(torch.float64, 3, scale=1.0 / apart)  # nearly equal ones share as they like
    torch.testing.assert_close(weights, expected, rtol=0.0, atol=bound)


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_orthogonal_gradients(n, seed):
    rng = np.random.default_rng(seed)
    squares = torch.from_numpy(10.0 ** rng.uniform(-3, 3, n))
    sigma = torch.from_numpy(10.0 ** rng.uniform(-1, 1, n))
    expected = 1.0 / (sigma * squares)
    expected = expected / (expected / sigma).sum()
    weights = solve_dual(torch.diag(squares), sigma).weights
    bound = tolerance(torch.float64, 30 * 10)
    torch.testing.assert_close(weights, expected, rtol=bound, atol=0.0)


@pytest.mark.parametrize("n", [20, 50, 100])
@pytest.mark.parametrize("width", [5, 60, 1000])
def test_many_objectives(n, width):
    generator = torch.Generator().manual_seed(n + width)
    J = torch.randn(n, width, generator=generator, dtype=torch.float64)
    J += torch.randn(width, generator=generator, dtype=torch.float64)
    for c in (0.0, 0.3):
        assert solve_dual(J @ J.T, lower_bound=c).residual <= TOLERANCE


@pytest.mark.parametrize("exponent", [-30, -15, 0, 15, 30])
def test_gramians_of_all_scales(exponent):
    G = (
        10.0**exponent
        * torch.tensor([[2.0, -0.5, 0.1], [-0.5, 1.0, 0.2], [0.1, 0.2, 3.0]]).double()
    )
    solution = solve_dual(G)
    assert solution.residual <= ROUNDING
    same(solution.weights, solve_dual(G / G[0, 0]).weights)
    expected = float(solution.weights @ G @ solution.weights)
    assert solution.squared_norm == pytest.approx(expected, rel=ROUNDING, abs=0.0)


def test_float32_gramian_of_dependent_gradients():
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        J = torch.randn(8, 3, generator=generator)
        solution = solve_dual(J @ J.T)  # rounding has made it slightly indefinite
        assert solution.residual <= TOLERANCE


def test_zero_gradient_is_pareto_critical():
    G = torch.diag(torch.tensor([1.0, 0.0, 2.0]))
    solution = solve_dual(G)
    assert solution.squared_norm == 0.0
    assert solution.weights.tolist() == [0.0, 1.0, 0.0]


def test_relaxed_completely_without_gradient_is_as_if_not_there():
    G = torch.diag(torch.tensor([1.0, 0.0, 2.0]))
    sigma = torch.tensor([1.0, float("inf"), 1.0])
    weights = solve_dual(G, sigma).weights
    same(weights, [2 / 3, 0.0, 1 / 3])


def test_relaxed_completely_only_does_not_rise():
    g, h = torch.tensor([1.0, 0.0]).double(), torch.tensor([-1.0, 1.0]).double()
    J = torch.stack([g, h])
    d = -solve_dual(J @ J.T, torch.tensor([1.0, float("inf")])).weights @ J
    assert float(h @ d) == pytest.approx(0.0, abs=ROUNDING)
    assert float(g @ d) < 0.0


def test_all_gradients_zero():
    solution = solve_dual(torch.zeros(3, 3))
    assert solution.squared_norm == 0.0
    same(solution.weights, [1 / 3] * 3)


@pytest.mark.parametrize("solver", ["auto", "cvxopt"])
@pytest.mark.parametrize("n", [1, 2, 3, 12])
@pytest.mark.parametrize("kind", ["usual", "dependent", "one zero", "all zero"])
@pytest.mark.parametrize("c", [0.0, 0.5])
def test_no_weights_are_accepted_beyond_the_tolerance(solver, n, kind, c):
    """Of no method: with a tolerance that no residual satisfies, none gives an answer."""
    J = torch.eye(n, 12).double() + 0.1
    J[-1] = {"usual": J[-1], "dependent": J[0]}.get(kind, 0.0 * J[0])
    G = J @ J.T * (kind != "all zero")
    assert solve_dual(G, lower_bound=c, solver=solver).residual <= TOLERANCE
    with patch.object(solve, "TOLERANCE", -1.0), pytest.raises(ArithmeticError, match="no weights"):
        solve_dual(G, lower_bound=c, solver=solver)


@pytest.mark.parametrize(
    ("solver", "expected"),
    [
        (
            "auto",
            ["few_objectives", "critical", "active_set", "active_set", "interior_point"],
        ),
        ("cvxopt", ["critical", "interior_point", "interior_point"]),
    ],
)
def test_fast_methods_are_asked_first(solver, expected):
    """The least residual of what they propose is in the message."""
    residuals = [1e-3, 1e-5, 1e-2, 1e-4, 1e-1]
    asked = []

    def method(name):
        def propose(problem):
            residual = residuals[len(asked)]
            asked.append(name)
            yield Mock(residual=lambda: residual)

        return propose

    names = ("few_objectives", "critical", "active_set", "interior_point")
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(patch.object(solve, f"{name}_candidates", method(name)))
        with pytest.raises(ArithmeticError, match=r"residual 1\.0e-05"):
            solve_dual(torch.eye(3), solver=solver)
    assert asked == expected


def test_the_first_weights_within_the_tolerance_are_the_answer():
    first, second = Mock(residual=lambda: TOLERANCE), Mock(residual=lambda: 0.0)
    with patch.object(solve, "few_objectives_candidates", return_value=[first, second]):
        assert solve_dual(torch.eye(2)) is first.solution.return_value
    first.solution.assert_called_once_with(TOLERANCE)


def test_a_solver_that_does_not_exist():
    with pytest.raises(ValueError, match=r"`solver` must be one of \('auto', 'cvxopt'\), found"):
        solve_dual(torch.eye(2), solver="quick")
