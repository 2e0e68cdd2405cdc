from itertools import chain

import pytest
import torch
from avalanche.models import MTSimpleMLP

from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.training.peers import LwFStrategy, NaiveStrategy
from tests.tolerance import tolerance
from tests.toy import toy_benchmark
from tests.training.common import TERMS, assert_same_weights, scenarios, toy_strategy, weights_of
from tests.training.peers.by_hand import (
    CheckLosses,
    cross_entropies,
    frozen,
    ordinary_benchmark,
    scenario_losses,
    trained,
)


def distillation(now, before, groups, temperature):
    """Compute the sum over the groups of T² KL(before ‖ now), averaged over the samples."""
    total = 0.0
    for group in groups:
        for row, target in zip(now, before, strict=True):
            p = (row[group].double() / temperature).softmax(0)
            q = (target[group].double() / temperature).softmax(0)
            total += sum(q[k] * (q[k].log() - p[k].log()) for k in range(len(group)))
    return temperature**2 * total / len(now)


@scenarios
@pytest.mark.parametrize(("alpha", "temperature"), [(1.0, 2.0), (3.0, 0.5)])
def test_loss_is_that_of_the_labels_and_distillation(scenario, alpha, temperature):
    teacher, finished = [], []

    def expected(strategy, part, x, y, t):
        loss = scenario_losses(strategy.model, (x, y, t), strategy.experience).mean()
        if not finished:
            return loss
        labels = [[2 * task, 2 * task + 1] for task in finished]
        groups = labels if scenario == "task" else [sorted(chain(*labels))]
        now, before = strategy.model(x), teacher[-1](x)
        return loss + alpha * distillation(now, before, groups, temperature)

    check = CheckLosses(expected)
    strategy = toy_strategy(
        LwFStrategy, alpha=alpha, temperature=temperature, lr=0.1, plugins=[check]
    )
    distilled = 0
    for experience in toy_benchmark(scenario=scenario).train_stream:
        distilled += len(finished) > 1
        strategy.train(experience)
        finished += experience.finishing_tasks
        if experience.finishing_tasks:
            teacher.append(frozen(strategy.model))
    assert distilled
    assert check.checked["active"] >= 10


def test_on_ordinary_benchmarks_all_finished_classes_are_one_group():
    teacher, seen = [], []

    def expected(strategy, part, x, y, t):
        now = strategy.model(x)
        loss = cross_entropies(now, y, [range(6)] * len(y)).mean()
        if not teacher:
            return loss
        return loss + distillation(now, teacher[-1](x), [sorted(seen)], 2.0)

    check = CheckLosses(expected)
    strategy = toy_strategy(LwFStrategy, lr=0.1, train_mb_size=4, plugins=[check])
    for experience in ordinary_benchmark(4).train_stream:
        strategy.train(experience)
        teacher.append(frozen(strategy.model))
        seen += set(experience.dataset.targets)
    assert seen == [0, 1, 2, 3]
    assert check.checked["active"] == 8


def test_nothing_is_distilled_before_a_task_has_finished():
    # Both use one engine, so that rounding agrees.
    lwf = toy_strategy(LwFStrategy, engine=PlainEngine(), alpha=10.0)
    naive = toy_strategy(NaiveStrategy, engine=PlainEngine())
    apart = []
    for experience in toy_benchmark().train_stream:
        for strategy in (lwf, naive):
            strategy.train(experience)
        apart.append(float((weights_of(lwf.model) - weights_of(naive.model)).abs().max()))
    assert apart[:2] == [0.0, 0.0]
    # at its first tick the copy still agrees with the model: it teaches rounding errors
    assert apart[2] <= tolerance(torch.float32, TERMS)
    assert apart[3] > 1e-4


def test_without_distillation_equals_naive():
    benchmark = toy_benchmark()
    # But for rounding: without losses of its own, a strategy goes through all samples at once.
    assert_same_weights(
        trained(LwFStrategy, benchmark, alpha=0.0), trained(NaiveStrategy, benchmark)
    )


def test_multi_task_modules_are_refused():
    with pytest.raises(ValueError, match="`model` MTSimpleMLP computes the logits of a"):
        toy_strategy(LwFStrategy, MTSimpleMLP())


@pytest.mark.parametrize("name", ["alpha", "temperature"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_wrong_settings(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* and finite, found {value}"):
        toy_strategy(LwFStrategy, **{name: value})
    with pytest.raises(ValueError, match="`temperature` must be positive"):
        toy_strategy(LwFStrategy, temperature=0.0)
