import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.optim import peers
from tests.optim.peers.matrices import matrix, seeds
from tests.tolerance import tolerance


def same(weights, expected):
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(weights, expected, rtol=0.0, atol=tolerance(torch.float64, 10))


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
