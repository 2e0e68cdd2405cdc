import math

import pytest
import torch

from avalanche_emgd.optim.peers.base import PeerWeighting


class Counting(PeerWeighting):
    """Weights are the numbers of calls with each objective."""

    def _observe(self, gramian, objectives):
        for each in objectives:
            self._state[each] = self._state.get(each, 0) + 1

    def _combine(self, gramian, objectives):
        return torch.tensor([float(self._state[each]) for each in objectives]).double()


class Broken(PeerWeighting):
    def _combine(self, gramian, objectives):
        return torch.full((len(objectives),), math.inf).double()


def weigh(weighting, *names):
    weighting.set_objectives(names)
    return weighting(torch.eye(len(names), dtype=torch.float64)).tolist()


def test_state_belongs_to_identities():
    weighting = Counting()
    assert weigh(weighting, "a") == [1.0]  # alone: plain gradient descent, but observed
    assert weigh(weighting, "b", "a") == [1.0, 2.0]
    weighting.forget(["a", "never seen"])
    assert weigh(weighting, "a", "b") == [1.0, 2.0]
    weighting.reset()
    assert weigh(weighting, "a", "b") == [1.0, 1.0]


def test_state_is_saved_and_copied():
    weighting, other = Counting(), Counting()
    weigh(weighting, "a", "b")
    state = weighting.state_dict()
    other.load_state_dict(state)
    assert weigh(other, "a", "b") == weigh(weighting, "a", "b") == [2.0, 2.0]
    assert weigh(other, "a", "b") == [3.0, 3.0]


def test_weights_that_are_not_finite_are_an_error():
    assert weigh(Broken(), "a") == [1.0]
    with pytest.raises(ValueError, match=r"Broken gives weights that are not finite.*'a', 'b'"):
        weigh(Broken(), "a", "b")


def test_losses_are_asked_for():
    weighting = Counting()
    with pytest.raises(ValueError, match="Counting needs the losses of the objectives"):
        weighting._given_losses()
    weighting.set_objectives(["a"], torch.tensor([-1.0]))
    with pytest.raises(ValueError, match=r"must be at least 0 and finite, found -1.0 of .* 'a'"):
        weighting._given_positive_losses(["a"])


def test_one_weight_that_is_not_finite_is_enough():
    class Half(PeerWeighting):
        def _combine(self, gramian, objectives):
            return torch.tensor([1.0, math.nan]).double()

    with pytest.raises(ValueError, match="Half gives weights that are not finite"):
        weigh(Half(), "a", "b")


def test_a_weighting_asks_for_nothing_unless_it_says_so():
    weighting = Counting()
    assert weighting.needs_gradients is weighting.looks_back is False
    assert weighting.see(torch.ones(2, 3)) is None
    weighting.set_objectives(["a", "b"])
    assert weighting._rows_in_memory(2).tolist() == [False, False]
    losses = torch.tensor([0.0, 0.5], requires_grad=True)
    weighting.set_objectives(["a", "b"], losses, [False, True])
    assert weighting._rows_in_memory(2).tolist() == [False, True]
    found = weighting._given_positive_losses(["a", "b"])
    assert found.tolist() == [0.0, 0.5]
    assert not found.requires_grad
    for wrong in (math.inf, math.nan):
        weighting.set_objectives(["a", "b"], torch.tensor([1.0, wrong]))
        with pytest.raises(ValueError, match=f"found {wrong} of the objective 'b'"):
            weighting._given_positive_losses(["a", "b"])


def test_what_is_said_of_the_rows_is_forgotten():
    weighting = Counting()
    weighting.set_objectives(["a"], torch.ones(1))
    weighting.reset()
    with pytest.raises(ValueError, match="needs the losses"):
        weighting._given_losses()
    assert weighting(torch.eye(3)).tolist() == [1.0, 1.0, 1.0]
