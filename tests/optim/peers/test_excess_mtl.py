from inspect import signature

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
    weighting.rate = 1e-12  # weights that stay
    weights = weigh(weighting, ["grows", "stays"], rows_of(98, 2))
    assert float(weights[1]) == pytest.approx(
        1e-12, rel=1e-6, abs=0.0
    )  # its share of the next increase
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


@pytest.mark.parametrize("width", [1, 4000])
def test_one_parameter_and_many(width):
    ours, theirs = ExcessMTL(0.3), ExcessMTLWeighting(0.3, n_warmup_steps=1)
    for tick in range(5):
        rows = rows_of(tick, width=width).abs() + 0.5
        found = weigh(ours, ["a", "b", "c"], rows)
        torch.testing.assert_close(found, theirs(rows), rtol=1e-4, atol=1e-5)


def test_ticks_without_a_gradient_leave_an_objective_new():
    waiting, new = ExcessMTL(), ExcessMTL()
    for tick in range(3):
        rows = rows_of(tick, 2)
        weigh(waiting, ["a", "b"], rows * torch.tensor([[1.0], [0.0]]).double())
        weigh(new, ["a"], rows[:1])
    rows = rows_of(9, 2) * torch.tensor([[1.0], [1e-6]]).double()
    torch.testing.assert_close(weigh(waiting, ["a", "b"], rows), weigh(new, ["a", "b"], rows))


def test_newcomers_get_1_over_n_and_the_others_share_the_rest_as_before():
    weighting = ExcessMTL(3.0)
    for tick in range(4):
        before = weigh(weighting, ["a", "b"], rows_of(tick, 2))
    assert abs(float(before[0] - before[1])) > 0.01
    weighting.rate = 1e-12  # weights that stay
    weigh(weighting, ["a"], rows_of(5, 1))
    torch.testing.assert_close(weigh(weighting, ["a", "b"], rows_of(6, 2)), before)
    expected = torch.cat([2 / 3 * before, torch.tensor([1 / 3]).double()])
    torch.testing.assert_close(weigh(weighting, ["a", "b", "c"], rows_of(7, 3)), expected)


def test_settings():
    parameters = signature(ExcessMTLWeighting).parameters
    assert ExcessMTL().rate == parameters["robust_step_size"].default
    assert repr(ExcessMTL(0.5)) == "ExcessMTL(rate=0.5)"
    with pytest.raises(ValueError, match="`rate` must be"):
        ExcessMTL(0.0)
