"""Weightings of gradients against closed forms, TorchJD and slow obvious computations.

All in float64: bounds far above its rounding are those of iterations and of what TorchJD and the
solvers add to a diagonal (1e-6 for GEM, 1e-8 for Nash-MTL and where TorchJD divides by lengths).
"""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchjd import aggregation

from avalanche_emgd.optim import peers, solve_dual
from avalanche_emgd.optim.peers import asymmetric_distance, nash_weights
from tests.tolerance import tolerance


def matrix(n, seed=0, width=20):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, width, generator=generator, dtype=torch.float64)


def same(weights, expected):
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(weights, expected, rtol=0.0, atol=tolerance(torch.float64, 10))


seeds = st.integers(0, 10**6)
sizes = st.integers(2, 8)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (peers.Sum(), aggregation.Sum()),
        (peers.PCGrad(), aggregation.PCGrad()),
        (peers.IMTLG(), aggregation.IMTLG()),
        (peers.CAGrad(0.4), aggregation.CAGrad(0.4)),
        (peers.AlignedMTL(), aggregation.AlignedMTL()),
        (peers.UPGrad(), aggregation.UPGrad()),
        (peers.GradVac(0.3), aggregation.GradVac(0.3)),
    ],
)
def test_what_torchjd_computes_is_what_torchjd_computes(ours, theirs):
    for seed in range(5):
        rows = matrix(4, seed)
        torch.manual_seed(seed)
        expected = theirs(rows)
        torch.manual_seed(seed)
        torch.testing.assert_close(ours(rows @ rows.T) @ rows, expected, rtol=1e-5, atol=1e-7)


def test_gradvac_keeps_what_torchjd_forgets():
    """With b away for a tick, the pair (a, b) goes on from where it was."""
    inner, ours = aggregation.GradVacWeighting(0.5), peers.GradVac(0.5)
    for tick in range(6):
        rows = matrix(2, tick, 3)
        torch.manual_seed(tick)
        expected = inner(rows @ rows.T)
        ours.set_objectives(["a", "b"])
        torch.manual_seed(tick)
        torch.testing.assert_close(ours(rows @ rows.T), expected, rtol=1e-6, atol=1e-9)
        ours.set_objectives(["a", "c", "d"])
        ours(matrix(3, tick) @ matrix(3, tick).T)


@given(sizes, seeds)
def test_nash_weights_solve_the_bargaining_equations(n, seed):
    rows = matrix(n, seed)
    gramian = rows @ rows.T
    alpha = nash_weights(gramian)
    assert (alpha > 0).all()
    torch.testing.assert_close(gramian @ alpha * alpha, torch.ones(n).double(), atol=1e-5, rtol=0)


def test_nash_of_orthogonal_gradients_is_the_inverse_of_their_lengths():
    weights = peers.NashMTL()(torch.diag(torch.tensor([1.0, 4.0, 16.0])))
    torch.testing.assert_close(weights, torch.tensor([4.0, 2.0, 1.0]) / 7.0)


def test_nash_of_opposite_gradients_cancels_them():
    rows = torch.tensor([[1.0, 0.0], [-3.0, 0.0]], dtype=torch.float64)
    weights = peers.NashMTL()(rows @ rows.T)
    torch.testing.assert_close(weights, torch.tensor([0.75, 0.25]).double())


def test_proportional_fairness_is_nash_bargaining():
    for seed in range(5):
        gramian = matrix(4, seed) @ matrix(4, seed).T
        torch.testing.assert_close(
            peers.FairGrad(1.0)(gramian), peers.NashMTL()(gramian), rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_fairness_equations(alpha):
    gramian = matrix(3) @ matrix(3).T
    weights = peers.FairGrad(alpha)(gramian)
    ratios = gramian @ weights * weights ** (1.0 / alpha)
    torch.testing.assert_close(ratios, ratios.mean().expand(3), rtol=1e-4, atol=0)


@pytest.mark.parametrize("kind", [peers.NashMTL, peers.FairGrad])
def test_objectives_without_gradient_have_nothing_to_bargain_for(kind):
    rows = matrix(3)
    rows[1] = 0.0
    weights = kind()(rows @ rows.T)
    assert weights[1] == 0.0
    alone = kind()(rows[[0, 2]] @ rows[[0, 2]].T)
    torch.testing.assert_close(weights[[0, 2]], alone)


@given(sizes, seeds)
def test_orthogonal_sum_by_singular_values(n, seed):
    rows = matrix(n, seed)
    u, s, v = torch.linalg.svd(rows, full_matrices=False)
    expected = (s.min() * u @ v).sum(dim=0)
    found = peers.OrthogonalSum()(rows @ rows.T) @ rows
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


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


# Replay


def replay(weighting, rows, replayed, losses=None):
    weighting.set_objectives(
        list(range(len(rows))), torch.ones(len(rows)) if losses is None else losses, replayed
    )
    return weighting(rows @ rows.T)


def test_er_is_half_memory_and_half_current():
    weights = replay(peers.ERWeighting(), matrix(5), [False, False, False, True, True])
    same(weights, [1 / 6, 1 / 6, 1 / 6, 1 / 4, 1 / 4])
    weights = replay(peers.ERWeighting(share=0.7), matrix(5), [False, False, False, True, True])
    same(weights, [0.1, 0.1, 0.1, 0.35, 0.35])
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"`share` must be in \[0, 1\]"):
            peers.ERWeighting(share=wrong)


@pytest.mark.parametrize(
    "kind", [peers.ERWeighting, peers.AGEMWeighting, peers.GEMWeighting, peers.MEGAWeighting]
)
@pytest.mark.parametrize("replayed", [[False] * 3, [True] * 3, None])
def test_replay_methods_without_two_kinds_take_the_average(kind, replayed):
    weights = replay(kind(), matrix(3), replayed)
    same(weights, [1 / 3] * 3)


@given(seeds)
def test_agem_hurts_the_memory_never_and_changes_as_little_as_it_can(seed):
    rows = matrix(3, seed, 3)
    current, memory = rows[:2].mean(0), rows[2]
    update = replay(peers.AGEMWeighting(), rows, [False, False, True]) @ rows
    bound = tolerance(torch.float64, 3 * 10, scale=float(current.norm()))
    if memory @ current >= 0:
        assert (update - current).norm() <= bound
    else:
        assert (update @ memory).abs() <= bound * memory.norm()
        # What is taken away is along the memory's gradient alone.
        away, along = current - update, memory / memory.norm()
        assert (away - (away @ along) * along).norm() <= bound


@given(seeds, st.integers(1, 4))
def test_gem_without_margin_projects_onto_the_cone(seed, finished):
    rows = matrix(2 + finished, seed, 6)
    replayed = [False, False] + [True] * finished
    current, memories = rows[:2].mean(0), rows[2:]
    update = replay(peers.GEMWeighting(0.0), rows, replayed) @ rows
    tolerance = 1e-4 * float(rows.norm(dim=1).max()) ** 2
    assert (memories @ update >= -tolerance).all()
    # Moreau: what is left over is a conic combination of the memories, orthogonal to the update.
    assert abs(float((update - current) @ update)) < tolerance
    weights = replay(peers.GEMWeighting(0.0), rows, replayed)
    assert (weights[2:] >= -1e-9).all()
    same(weights[:2], [0.5] * 2)


def test_gem_margin_is_a_lower_bound_where_there_is_conflict():
    rows = torch.tensor([[1.0, 0.0], [-0.1, 1.0], [0.0, 2.0]], dtype=torch.float64)
    weights = replay(peers.GEMWeighting(0.5), rows, [False, True, True])
    assert weights[0] == 1.0
    assert (weights[1:] >= 0.5 - 1e-9).all()
    agreeing = rows.abs()
    assert replay(peers.GEMWeighting(0.5), agreeing, [False, True, True]).tolist() == [1, 0, 0]


@settings(max_examples=30)
@given(seeds, st.floats(0.01, 10.0))
def test_mega_keeps_the_length_and_finds_the_best_angle(seed, loss):
    rows = matrix(2, seed, 3)
    losses = torch.tensor([1.0, loss], dtype=torch.float64)
    update = replay(peers.MEGAWeighting(), rows, [False, True], losses) @ rows
    current, memory = rows / rows.norm(dim=1, keepdim=True)
    assert float(update.norm()) == pytest.approx(float(rows[0].norm()))

    def value(direction):
        unit = direction / direction.norm()
        return float(losses[0] * (unit @ current) + losses[1] * (unit @ memory))

    across = memory - (memory @ current) * current
    across = across / across.norm()
    best = max(
        value(np.cos(angle) * current + np.sin(angle) * across)
        for angle in np.linspace(0.0, np.pi, 721)
    )
    assert value(update) >= best - 1e-4


@pytest.mark.parametrize(
    ("losses", "turned"),
    [([1.0, 0.0], False), ([1e-9, 1.0], True)],
)
def test_mega_at_its_ends(losses, turned):
    rows = torch.tensor([[2.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    update = replay(peers.MEGAWeighting(), rows, [False, True], torch.tensor(losses)) @ rows
    expected = torch.tensor([0.0, 2.0] if turned else [2.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(update, expected, atol=1e-6, rtol=0)


def test_mega_of_parallel_gradients():
    rows = torch.tensor([[1.0, 0.0], [-2.0, 0.0]], dtype=torch.float64)
    for losses, along in (([2.0, 1.0], 1.0), ([1.0, 2.0], -1.0)):
        update = replay(peers.MEGAWeighting(), rows, [False, True], torch.tensor(losses)) @ rows
        torch.testing.assert_close(update, torch.tensor([along, 0.0]).double())
