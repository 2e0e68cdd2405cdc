import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchjd.aggregation import ExcessMTLWeighting

from avalanche_emgd.optim.peers import ExcessMTL


def rows_of(tick, n=3, width=12):
    return torch.randn(n, width, generator=torch.Generator().manual_seed(tick)).double()


def weigh(weighting, names, rows):
    weighting.set_objectives(names)
    assert weighting.see(rows) is None
    return weighting(rows @ rows.T)


def test_for_fixed_objectives_it_is_torchjds_with_one_warm_up_step():
    ours, theirs = ExcessMTL(0.3), ExcessMTLWeighting(0.3, n_warmup_steps=1)
    for tick in range(20):
        rows = rows_of(tick) + 0.5  # TorchJD adds 1e-7 to the squares of what is of order one
        found = weigh(ours, ["a", "b", "c"], rows)
        torch.testing.assert_close(found, theirs(rows), rtol=1e-4, atol=1e-5)


@given(st.integers(2, 6), st.integers(0, 999))
def test_weights_are_on_the_simplex_and_newcomers_get_their_share(n, seed):
    weighting = ExcessMTL()
    names = list(range(n))
    for tick in range(4):
        before = weigh(weighting, names, rows_of(seed + tick, n))
        assert (before >= 0.0).all()
        assert float(before.sum()) == pytest.approx(1.0)
    # At an objective's first tick its relative excess risk is 1.
    weighting.forget(names)
    torch.testing.assert_close(
        weigh(weighting, names, rows_of(seed, n)), torch.full((n,), 1.0 / n).double()
    )


def test_lengths_of_single_objectives_do_not_matter():
    plain, scaled = ExcessMTL(), ExcessMTL()
    factors = torch.tensor([1.0, 1e-4, 1e5]).double()
    for tick in range(5):
        rows = rows_of(tick)
        found = weigh(scaled, ["a", "b", "c"], rows * factors[:, None])
        torch.testing.assert_close(found, weigh(plain, ["a", "b", "c"], rows))


def test_an_objective_can_lose_all_weight_and_come_back():
    weighting = ExcessMTL(rate=100.0)
    for tick in range(30):
        rows = rows_of(tick, 2) * torch.tensor([1.0 + tick, 1.0]).double()[:, None]
        weights = weigh(weighting, ["grows", "stays"], rows)
    assert weights[1] < 1e-9
    alone = weigh(weighting, ["stays", "new"], rows_of(99, 2))
    assert alone.isfinite().all()


def test_a_first_gradient_of_zero_is_no_baseline():
    weighting = ExcessMTL()
    rows = rows_of(0, 2)
    for _ in range(2):
        weights = weigh(weighting, ["a", "b"], rows * torch.tensor([[1.0], [0.0]]).double())
    found = [weigh(weighting, ["a", "b"], rows) for _ in range(3)]
    assert weights.isfinite().all()
    assert all(float(each[1]) > 0.0 for each in found)
