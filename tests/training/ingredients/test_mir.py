import copy

import pytest
import torch
from torch import nn

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.ingredients import MIR, MIRReplayPlugin
from tests.tolerance import assert_near
from tests.toy import ids_of, toy_benchmark
from tests.training.common import TERMS, quiet, scenarios
from tests.training.peers.by_hand import Each, frozen, samples_of, scenario_losses

SIZES = (20, 14, 18)


def normalising_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 6))


def everything(strategy):
    """Return all state that a look-ahead step could change."""
    gradients = [None if p.grad is None else p.grad.clone() for p in strategy.model.parameters()]
    modes = [module.training for module in strategy.model.modules()]
    return copy.deepcopy(
        (strategy.model.state_dict(), strategy.optimizer.state_dict(), gradients, modes)
    )


def identical(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(identical(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(identical, one, other))
    return one == other


class WatchedReplay(MIRReplayPlugin):
    """Plugin that records candidates and scores, and checks that scores leave no trace."""

    def interference(self, strategy, x, y, task_labels):
        before = everything(strategy)
        scores = super().interference(strategy, x, y, task_labels)
        assert identical(everything(strategy), before)
        strategy.scored = (x, y, task_labels), scores, frozen(strategy.model)
        return scores


class WatchedMIR(MIR):
    def make_replay(self, memory, objectives):
        return WatchedReplay(memory, objectives, self.num_candidates)


def after_a_step(strategy, model, lr):
    """Return the model after a gradient step on the active tasks' mean loss."""
    ahead = copy.deepcopy(model).train().requires_grad_(True)
    active = [samples_of(strategy, p) for p in strategy.mbatch.parts if not p.replayed]
    losses = [scenario_losses(ahead, samples, strategy.experience).mean() for samples in active]
    parameters = list(ahead.parameters())
    gradients = torch.autograd.grad(sum(losses) / len(losses), parameters)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= lr * gradient
    return frozen(ahead)


def watched(check, make_optimizer, num_candidates=None, **options):
    model, each = normalising_model(), Each("after_forward", check)
    strategy = MultiGradientTemplate(
        model,
        weighting=ERWeighting(),
        memory_retrieval=WatchedMIR(num_candidates),
        optimizer=make_optimizer(model.parameters()),
        evaluator=quiet(),
        plugins=[each],
        **options,
    )
    strategy.scored = None
    return strategy, each


@scenarios
@pytest.mark.parametrize(
    "make_optimizer",
    [
        lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=0.1),
        lambda parameters: torch.optim.Adam(parameters, lr=0.05),
    ],
    ids=["momentum", "adam"],
)
def test_interference_is_the_increase_of_the_loss_and_leaves_no_trace(scenario, make_optimizer):
    checked = []

    def check(strategy):
        if strategy.scored is None:
            return
        samples, scores, model = strategy.scored
        ahead = after_a_step(strategy, model, lr=0.05)
        after, before = (
            scenario_losses(each, samples, strategy.experience) for each in (ahead, model)
        )
        # Features are divided by running deviations, which may be small.
        size = 10.0 * (1.0 + float(after.max()))
        assert_near(scores, after - before, TERMS, least=size)
        checked.append(float(scores.abs().max()))
        strategy.scored = None

    strategy, _ = watched(check, make_optimizer, memory_size=12)
    strategy.train(toy_benchmark(SIZES, scenario=scenario).train_stream)
    assert len(checked) >= 5
    assert max(checked) > 0.05


@pytest.mark.parametrize(("num_candidates", "expected"), [(None, 8), (6, 6), (100, 12)])
def test_the_candidates_with_the_largest_interference_are_replayed(num_candidates, expected):
    numbers = []

    def check(strategy):
        if strategy.scored is None:
            return
        (x, _, _), scores, _ = strategy.scored
        numbers.append(len(x))
        order = sorted(range(len(x)), key=lambda i: -float(scores[i]))
        (part,) = [part for part in strategy.mbatch.parts if part.replayed]
        replayed = samples_of(strategy, part)[0]
        assert len(set(ids_of(x))) == len(x)
        assert set(ids_of(replayed)) == {ids_of(x)[i] for i in order[:4]}
        assert part.stop - part.start == 4
        strategy.scored = None

    strategy, _ = watched(
        check,
        lambda parameters: torch.optim.SGD(parameters, lr=0.05),
        memory_size=12,
        num_candidates=num_candidates,
    )
    strategy.train(toy_benchmark(SIZES).train_stream)
    assert len(numbers) >= 5
    assert set(numbers) == {expected}


@pytest.mark.parametrize("options", [{"memory_size": 4}, {"memory_size": 12, "num_candidates": 1}])
def test_without_further_candidates_no_scores_are_computed(options):
    replayed = []

    def check(strategy):
        assert strategy.scored is None
        replayed.extend(p.stop - p.start for p in strategy.mbatch.parts if p.replayed)

    strategy, _ = watched(check, lambda p: torch.optim.SGD(p, lr=0.05), **options)
    strategy.train(toy_benchmark(SIZES).train_stream)
    assert set(replayed) == {4}


@pytest.mark.parametrize("num_candidates", [None, 5, 6, 100])
def test_each_finished_task_replays_what_it_would_lose_most(num_candidates):
    checked = []

    def check(strategy):
        replayed = [part for part in strategy.mbatch.parts if part.replayed]
        assert sum(p.stop - p.start for p in replayed) == (4 if replayed else 0)
        if strategy.scored is None:
            return
        (x, _, t), scores, _ = strategy.scored
        for part in replayed:
            found, _, labels = samples_of(strategy, part)
            (task,) = labels.unique()
            own = [i for i in range(len(x)) if t[i] == task]
            best = sorted(own, key=lambda i: -float(scores[i]))[: len(found)]
            assert set(ids_of(found)) == {ids_of(x)[i] for i in best}
            checked.append(len(own) - len(found))
        strategy.scored = None

    strategy, _ = watched(
        check,
        lambda parameters: torch.optim.SGD(parameters, lr=0.05),
        memory_size=12,
        num_candidates=num_candidates,
        memory_objectives="per-task",
    )
    benchmark = toy_benchmark(SIZES)
    for _ in range(2):  # then several tasks have finished
        strategy.train(benchmark.train_stream)
    assert len(checked) >= 5
    assert max(checked) > 0


@pytest.mark.parametrize("number", [0, -1, 2.5, "many", True])
def test_wrong_number_of_candidates(number):
    with pytest.raises(ValueError, match="`num_candidates` must be a whole number, at least 1"):
        MIR(number)
