import pytest
import torch
from torchjd import scalarization

from avalanche_emgd.optim.peers import FAMO


def losses_of(tick, n=3):
    return 0.1 + torch.rand(2, n, generator=torch.Generator().manual_seed(tick))


def weigh(weighting, names, losses):
    weighting.set_objectives(names, losses)
    return weighting(torch.eye(len(names), dtype=torch.float64))


@pytest.mark.parametrize("weight_decay", [0.0, 1e-3, 0.5])
def test_for_fixed_objectives_it_is_torchjds(weight_decay):
    ours, theirs = FAMO(0.1, weight_decay), scalarization.FAMO(3, lr=0.1, weight_decay=weight_decay)
    for tick in range(30):
        before, after = losses_of(tick)
        values = before.clone().requires_grad_()
        (expected,) = torch.autograd.grad(theirs(values), values)
        theirs.update(after)
        found = weigh(ours, ["a", "b", "c"], before)
        ours.look_back(after)
        # TorchJD's differences of logarithms, of order one, are float32: ε over the least slope.
        torch.testing.assert_close(found.float(), expected, rtol=1e-3, atol=1e-4)


def test_an_objective_that_has_gained_least_gets_more_weight():
    weighting = FAMO(0.1)
    for _ in range(20):
        weigh(weighting, ["slow", "fast"], torch.ones(2))
        weighting.look_back(torch.tensor([0.99, 0.5]))
    weights = weigh(weighting, ["slow", "fast"], torch.ones(2))
    assert float(weights.sum()) == pytest.approx(1.0)
    assert weights[0] > 0.8


def test_at_first_weights_are_the_inverses_of_the_losses():
    weights = weigh(FAMO(), ["a", "b"], torch.tensor([1.0, 4.0]))
    torch.testing.assert_close(weights, torch.tensor([0.8, 0.2]).double())


def test_alone_nothing_is_learned():
    weighting = FAMO()
    weigh(weighting, ["a"], torch.ones(1))
    weighting.look_back(torch.tensor([0.1]))
    assert weighting.get_extra_state() == {"objectives": []}


def test_losses_must_be_those_of_the_last_call():
    weighting = FAMO()
    with pytest.raises(ValueError, match="found 2 after 0"):
        weighting.look_back(torch.ones(2))
    weigh(weighting, ["a", "b"], torch.ones(2))
    with pytest.raises(ValueError, match="found 3 after 2"):
        weighting.look_back(torch.ones(3))


def test_losses_of_zero_have_logarithms():
    weighting = FAMO(weight_decay=0.0)
    weights = weigh(weighting, ["a", "b"], torch.tensor([0.0, 1.0], dtype=torch.float64))
    assert float(weights[0] / weights[1]) == pytest.approx(1e8 + 1.0)
    # Both have doubled, with ε: no objective has gained more than the other.
    weighting.look_back(torch.tensor([1e-8, 2.0 + 1e-8], dtype=torch.float64))
    weights = weigh(weighting, ["a", "b"], torch.ones(2))
    torch.testing.assert_close(weights, torch.full((2,), 0.5).double())


def test_small_gains_are_learned_with_the_epsilon_of_adam():
    weighting, gain = FAMO(rate=0.1, weight_decay=0.0), 4e-8
    weigh(weighting, ["a", "b"], torch.ones(2).double())
    weighting.look_back(torch.tensor([1.0 - gain, 1.0], dtype=torch.float64))
    # The slopes are ±gain/4, and Adam's first step is rate · slope / (|slope| + 1e-8).
    a, b = weigh(weighting, ["a", "b"], torch.ones(2))
    assert float((b / a).log()) == pytest.approx(2 * 0.1 * 0.5, rel=1e-3)


def test_newcomers_begin_with_a_logit_of_zero():
    weighting = FAMO(0.1, weight_decay=0.0)
    for _ in range(5):
        weigh(weighting, ["a", "b"], torch.ones(2))
        weighting.look_back(torch.tensor([0.9, 0.5]))
    a, b, new = weigh(weighting, ["a", "b", "new"], torch.ones(3))
    assert float(a) > 1.5 * float(b)
    assert float(a * b) == pytest.approx(float(new**2), rel=1e-5)  # logits of the two are opposite


def test_reset_forgets_logits_and_losses():
    weighting = FAMO(0.1)
    for _ in range(2):
        weigh(weighting, ["a", "b"], torch.ones(2))
        weighting.look_back(torch.tensor([0.9, 0.5]))
    weigh(weighting, ["a", "b"], torch.ones(2))
    weighting.reset()
    with pytest.raises(ValueError, match="found 2 after 0"):
        weighting.look_back(torch.ones(2))
    assert weigh(weighting, ["a", "b"], torch.ones(2)).tolist() == [0.5, 0.5]


def test_settings():
    weighting = FAMO()
    assert (weighting.rate, weighting.weight_decay) == (0.025, 1e-3)
    assert weighting.looks_back is True
    assert repr(FAMO(0.1, 0.2)) == "FAMO(rate=0.1, weight_decay=0.2)"
    for wrong in ({"rate": 0.0}, {"weight_decay": -1.0}):
        with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be"):
            FAMO(**wrong)
