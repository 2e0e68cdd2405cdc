import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.optim import peers, solve_dual
from avalanche_emgd.optim.peers import asymmetric_distance
from tests.optim.peers.matrices import matrix, seeds, sizes


@given(seeds)
def test_asymmetric_distance_is_in_the_unit_interval(seed):
    u, g = matrix(2, seed, 3)
    assert 0.0 <= asymmetric_distance(u, g) <= 1.0
    assert asymmetric_distance(g, g) == 0.0
    assert asymmetric_distance(0.0 * u, g) == 0.5
    assert asymmetric_distance(u, 0.0 * g) == 1.0


@settings(max_examples=30)
@given(sizes, seeds)
def test_maxdo_against_autograd(n, seed):
    rows, steps, rate = matrix(n, seed, 4), 3, 1.5
    columns = torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        scores = torch.zeros(n - 1, dtype=torch.float64)
        for _ in range(steps):
            scores.requires_grad_()
            candidate = torch.softmax(scores, 0) @ rows[others]
            (slope,) = torch.autograd.grad(asymmetric_distance(candidate, rows[i]), scores)
            scores = (scores - rate * slope).detach()
        columns[others, i] = torch.softmax(scores, 0)
    ours = peers.MaxDO(steps, rate)
    torch.testing.assert_close(ours._others(rows @ rows.T), columns, rtol=1e-6, atol=1e-8)
    min_norm = solve_dual(rows @ rows.T, torch.ones(n)).weights
    expected = (columns + min_norm.diag()).mean(dim=1)
    torch.testing.assert_close(ours(rows @ rows.T), expected, rtol=1e-6, atol=1e-8)
    assert ours(rows @ rows.T).sum() == pytest.approx((n + 1) / n)


def nearest_distances(rows):
    """Distances to the nearest convex combination of the others, by the dual of the gaps.

    The asymmetric distance grows with ‖u − g‖, so that both are least at the same u.
    """
    distances = []
    for i, row in enumerate(rows):
        gaps = torch.cat([rows[:i], rows[i + 1 :]]) - row
        shares = solve_dual(gaps @ gaps.T, torch.ones(len(gaps))).weights
        distances.append(asymmetric_distance(row + shares @ gaps, row))
    return torch.stack(distances)


@settings(max_examples=10)
@given(st.integers(3, 6), seeds)
def test_more_steps_of_maxdo_come_nearer_to_the_nearest(n, seed):
    rows = matrix(n, seed)  # in 20 dimensions: no gradient is a combination of the others
    distances = []
    for steps in (0, 5, 20, 100, 3000):
        shares = peers.MaxDO(steps, 0.5)._others(rows @ rows.T)
        distances.append(asymmetric_distance(shares.T @ rows, rows))
    for before, after in itertools.pairwise(distances):
        assert (after <= before + 1e-9).all()
    nearest = nearest_distances(rows)
    assert (distances[-1] >= nearest - 1e-9).all()
    torch.testing.assert_close(distances[-1], nearest, rtol=0.0, atol=0.01)
