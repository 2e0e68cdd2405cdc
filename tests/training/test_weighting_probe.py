"""User-defined weightings have a trial before training, which leaves no trace."""

import random
from functools import partial

import numpy as np
import pytest
import torch
from torchjd.aggregation import ConstantWeighting, GradVacWeighting, MeanWeighting, RandomWeighting

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.optim import EMGDWeighting, ObjectiveWeighting
from avalanche_emgd.training.weighting_probe import probe_weighting
from tests.toy import toy_benchmark
from tests.training.common import assert_same_weights, toy_strategy, weights_of

BENCHMARK = toy_benchmark()


def uniform(n):
    return torch.full((n,), 1.0 / n, dtype=torch.float64)


class Counts:
    """Weighting that counts its calls."""

    def __init__(self, give=uniform):
        self.calls = 0
        self.give = give

    def __call__(self, gramian):
        self.calls += 1
        return self.give(len(gramian))


class Named(ObjectiveWeighting):
    def __init__(self):
        super().__init__()
        self.seen = []

    def _weights(self, gramian, objectives):
        self.seen.append(list(objectives))
        return uniform(len(objectives) + 1)


class Infinite(ObjectiveWeighting):
    def _weights(self, gramian, objectives):
        return uniform(len(objectives)) / 0.0


WRONG = {
    "shape": (Counts(lambda n: uniform(n + 1)), "Counts must return a tensor of 2 weights"),
    "column": (Counts(lambda n: uniform(n)[:, None]), "Counts must return a tensor of 2 weights"),
    "whole numbers": (Counts(lambda n: torch.ones(n, dtype=torch.long)), "of a floating dtype"),
    "list": (Counts(lambda n: [1.0] * n), "found list"),
    "NaN": (Counts(lambda n: uniform(n) * float("nan")), "Counts gives weights that are not fin"),
    "one": (Counts(lambda n: uniform(1)), "must return a tensor of 2 weights"),
    "bound": (Counts(lambda n: None).__call__, "found NoneType"),
    "partial": (partial(Counts(lambda n: None)), "found NoneType"),
    "function": (lambda gramian: gramian[0, 0], r"<lambda> must return a tensor of 2 weights"),
    "named": (Named(), "Named must return a tensor of 2 weights"),
    "infinite": (Infinite(), "Infinite gives weights that are not finite"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_weights_are_refused_before_the_first_minibatch(name, monkeypatch):
    weighting, message = WRONG[name]
    monkeypatch.setattr(type(BENCHMARK.train_stream[0]), "load", None)  # delivers
    strategy = toy_strategy(MultiGradientTemplate, weighting=weighting)
    before = weights_of(strategy.model)
    with pytest.raises(ValueError, match=message):
        strategy.train(BENCHMARK.train_stream)
    assert torch.equal(weights_of(strategy.model), before)
    assert strategy.clock.train_iterations == 0


def test_the_state_of_a_weighting_does_not_change():
    weighting, named = Counts(), Named()
    probe_weighting(weighting, 3)
    with pytest.raises(ValueError, match="Named must return"):
        probe_weighting(named, 3)
    assert named._rows.objectives is None
    assert (weighting.calls, named.seen) == (0, [])


@pytest.mark.parametrize("fails", [False, True])
def test_random_states_do_not_change(fails):
    def numbers():
        return (torch.rand(3).tolist(), random.random(), np.random.rand())  # noqa: NPY002

    class Draws:
        def __call__(self, gramian):
            numbers()
            if fails:
                raise KeyError("task0")
            return uniform(len(gramian))

    draws = []
    for probed in (False, True):
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        if probed:
            probe_weighting(Draws(), 3)
        draws.append(numbers())
    assert draws[0] == draws[1]


def test_the_trial_does_not_change_training():
    """Weightings with state and with random numbers give the same weights, bit for bit."""
    ends = []
    for probed in (False, True):
        for weighting in (GradVacWeighting(), RandomWeighting(), Counts()):
            strategy = toy_strategy(MultiGradientTemplate, weighting=weighting)
            if not probed:
                strategy._probed = weighting
            torch.manual_seed(3)
            strategy.train(BENCHMARK.train_stream[:1])
            ends.append(weights_of(strategy.model))
    for one, other in zip(ends[:3], ends[3:], strict=True):
        assert torch.equal(one, other)


CALLS = []


def recording(gramian):
    CALLS.append(len(gramian))
    return uniform(len(gramian))


def test_functions_with_mutable_state_are_checked_at_the_first_tick():
    seen = []

    def closing(gramian):
        seen.append(1)
        return uniform(len(gramian))

    def by_default(gramian, memory=[]):  # noqa: B006
        memory.append(1)
        return uniform(len(gramian))

    for each in (recording, closing, by_default):
        probe_weighting(each, 3)
    assert (CALLS, seen, by_default.__defaults__) == ([], [], ([],))


def test_weightings_that_fail_on_artificial_objectives_are_checked_at_the_first_tick():
    class OfNames(ObjectiveWeighting):
        def _weights(self, gramian, objectives):
            shares = {"task0": 1.0, "task1": 2.0, "task2": 3.0, "memory": 1.0}
            return torch.tensor([shares[o] for o in objectives], dtype=torch.float64)

    class NotCopied(Counts):
        def __deepcopy__(self, memo):
            raise TypeError("no copy")

    not_copied = NotCopied(lambda n: None)
    for each in (OfNames(), not_copied, ConstantWeighting(uniform(4)), EMGDWeighting()):
        probe_weighting(each, 3)
    assert not_copied.calls == 0
    toy_strategy(MultiGradientTemplate, weighting=OfNames()).train(BENCHMARK.train_stream)
    with pytest.raises(ValueError, match="NotCopied must return a tensor of 1 weights"):
        toy_strategy(MultiGradientTemplate, weighting=not_copied).train(BENCHMARK.train_stream)


def test_a_fixed_number_of_objectives():
    joint = toy_benchmark((8, 8), timeline=None, batch_size=4).train_stream
    most = max(len(experience.task_labels) for experience in joint)
    probe_weighting(Counts(lambda n: uniform(most)), most)
    probe_weighting(Counts(lambda n: uniform(most + 1)), most)  # one is a memory, it may be
    with pytest.raises(ValueError, match=f"must return a tensor of {most} weights"):
        probe_weighting(Counts(lambda n: uniform(most - 1)), most)


def test_the_trial_happens_once():
    class Asked(Counts):
        copies = 0

        def __deepcopy__(self, memo):
            type(self).copies += 1
            return Asked()

    strategy = toy_strategy(MultiGradientTemplate, weighting=Asked())
    for experience in BENCHMARK.train_stream:
        strategy.train(experience)
    assert Asked.copies == 1
    strategy.weighting = Asked()
    strategy.train(BENCHMARK.train_stream[0])
    assert Asked.copies == 2


def test_a_strategy_with_its_own_weights_has_no_trial():
    class Own(MultiGradientTemplate):
        def weigh(self):
            return uniform(len(self.objectives))

    one = toy_strategy(Own, weighting=Counts(lambda n: None))
    other = toy_strategy(MultiGradientTemplate, weighting=MeanWeighting())
    for strategy in (one, other):
        strategy.train(BENCHMARK.train_stream)
    assert_same_weights(weights_of(one.model), weights_of(other.model))
