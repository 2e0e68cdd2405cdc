import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchjd.aggregation import CRMOGMWeighting, UPGradWeighting

from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.optim.peers import CRMOGM, DBMTL, DWA, FAMO, UPGrad


def gramian_of(tick, n=3):
    rows = torch.randn(n, 8, generator=torch.Generator().manual_seed(tick)).double()
    return rows @ rows.T


def weigh(weighting, names, tick):
    weighting.set_objectives(names, torch.rand(len(names)) + 0.5)
    return weighting(gramian_of(tick, len(names)))


@given(st.floats(0.0, 1.0), st.integers(0, 99))
def test_for_fixed_objectives_it_is_torchjds(alpha, seed):
    ours, theirs = CRMOGM(UPGradWeighting(), alpha), CRMOGMWeighting(UPGradWeighting(), alpha)
    for tick in range(seed, seed + 5):
        found = weigh(ours, ["a", "b", "c"], tick)
        torch.testing.assert_close(found, theirs(gramian_of(tick)))


def test_without_average_it_is_the_weighting():
    ours, inner = CRMOGM("gmc", alpha=0.0), EMGDWeighting("gmc")
    for tick, names in enumerate((["a", "b"], ["a"], ["b", "c", "a"], ["c", "b"])):
        expected = weigh(inner, names, tick)  # of a lone objective 1
        torch.testing.assert_close(weigh(ours, names, tick), expected)


def test_a_new_objective_starts_at_its_first_weight():
    averaged, inner = CRMOGM("mgda", alpha=0.9), EMGDWeighting("mgda")
    before = weigh(averaged, ["a", "b"], 0)
    now = weigh(inner, ["b", "new"], 1)
    expected = torch.stack([0.9 * before[1] + 0.1 * now[0], now[1]])
    torch.testing.assert_close(weigh(averaged, ["b", "new"], 1), expected)


def test_the_averaged_weighting_receives_objectives_and_losses():
    weighting = CRMOGM(DWA(window=1))
    for tick in range(3):
        weigh(weighting, ["a", "b"], tick)
    assert dict(weighting.weighting.get_extra_state()["objectives"]).keys() == {"a", "b"}
    weighting.forget(["a"])
    assert dict(weighting.weighting.get_extra_state()["objectives"]).keys() == {"b"}
    weighting.reset()
    assert weighting.weighting.get_extra_state() == weighting.get_extra_state()
    assert CRMOGM(DBMTL()).needs_gradients
    assert CRMOGM(FAMO()).looks_back
    assert not CRMOGM(UPGrad()).needs_gradients
    assert not CRMOGM().looks_back


def test_state_of_both_is_saved():
    one, other = CRMOGM("gmc"), CRMOGM("gmc")
    for tick in range(3):
        weigh(one, ["a", "b", "c"], tick)
    other.load_state_dict(one.state_dict())
    assert torch.equal(weigh(one, ["b", "c"], 5), weigh(other, ["b", "c"], 5))


def test_no_weighting():
    with pytest.raises(TypeError, match="`weighting` must be the name of an elastic factor"):
        CRMOGM(3)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_a_wrong_share_of_the_past(alpha):
    with pytest.raises(ValueError, match=r"`alpha` must be in \[0, 1\], found"):
        CRMOGM(alpha=alpha)
    assert repr(CRMOGM("mgda", alpha=1.0)).endswith("alpha=1.0)")
    assert repr(CRMOGM("mgda", alpha=0.0)).endswith("alpha=0.0)")


def test_the_averaged_weighting_sees_what_it_asks_for():
    rows, losses = torch.randn(2, 5).double(), torch.tensor([1.0, 2.0]).double()
    averaged, inner = CRMOGM(DBMTL(beta=0.0)), DBMTL(beta=0.0)
    for weighting in (averaged, inner):
        weighting.set_objectives(["a", "b"], losses)
    assert torch.equal(averaged.see(rows), inner.see(rows))
    assert CRMOGM("mgda").see(rows) is None
    averaged, inner = CRMOGM(FAMO()), FAMO()
    for weighting in (averaged, inner):
        weighting.set_objectives(["a", "b"], losses)
        weighting(gramian_of(0, 2))
        weighting.look_back(torch.tensor([0.1, 3.0]))
    assert averaged.weighting.get_extra_state() == inner.get_extra_state()
    CRMOGM("mgda").look_back(losses)  # nothing to learn from it


def test_forgotten_averages_start_anew():
    weighting = CRMOGM("mgda", alpha=1.0)
    first = weigh(weighting, ["a", "b"], 0)
    assert torch.equal(weigh(weighting, ["a", "b"], 1), first)
    weighting.forget(["a", "b"])
    torch.testing.assert_close(
        weigh(weighting, ["a", "b"], 1), weigh(EMGDWeighting("mgda"), ["a", "b"], 1)
    )
