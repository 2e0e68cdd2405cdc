"""Logits that the replay memory stores with its samples."""

import pytest
import torch
from avalanche.models import IncrementalClassifier
from torch import nn

from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.models import is_masked
from avalanche_emgd.training.ingredients import StoredOutputs
from tests.toy import toy_benchmark
from tests.training.common import replay_strategy
from tests.training.peers.by_hand import dropping_model, note_finished, ordinary_benchmark

scenarios = pytest.mark.parametrize("scenario", ["class", "task"])
rules = pytest.mark.parametrize("rule", ["stored-logits", "stored-probabilities"])


@rules
@scenarios
def test_stored_logits_are_those_in_evaluation_mode_at_the_end_of_the_span(scenario, rule):
    strategy, then = (
        replay_strategy(dropping_model(), memory_size=12, memory_loss=rule),
        {},
    )
    for experience in toy_benchmark(scenario=scenario).train_stream:
        strategy.train(experience)
        note_finished(then, strategy, experience)
        if not then:
            continue
        x, _, t = strategy.memory.take(torch.arange(len(strategy.memory)))
        stored = strategy.memory.annotation("logits")
        for sample, task, logits in zip(x, t.tolist(), stored, strict=True):
            model, classes = then[task]
            others = sorted(set(range(6)) - set(classes))
            torch.testing.assert_close(logits[classes], model(sample[None])[0][classes])
            assert is_masked(logits)[others].all()
    assert set(t.tolist()) == {0, 1, 2}
    assert strategy.model.training


@rules
def test_works_without_memory(rule):
    strategy = replay_strategy(memory_loss=rule)
    strategy.train(toy_benchmark().train_stream)
    assert strategy.memory is None


class Growing(nn.Module):
    """A head that grows with the classes of each experience."""

    def __init__(self):
        super().__init__()
        self.classifier = IncrementalClassifier(5, initial_out_features=1)

    def forward(self, x):
        return self.classifier(x)


@rules
def test_heads_that_grow(rule):
    stored = []
    strategy = replay_strategy(
        Growing(), memory_size=8, train_mb_size=4, memory_loss=rule, engine=PlainEngine()
    )
    for experience in ordinary_benchmark().train_stream:
        strategy.train(experience)
        stored.append(strategy.memory.annotation("logits"))
    (first, both) = stored
    assert first.shape == (8, 2)
    assert both.shape == (8, 4)
    assert not is_masked(first).any()
    old = strategy.memory._labels < 2
    assert is_masked(both[old][:, 2:]).all()
    assert not is_masked(both[old][:, :2]).any()
    assert not is_masked(both[~old]).any()
    assert old.any()
    assert not old.all()


class Counting(StoredOutputs):
    """A user's own distance: the mean absolute difference."""

    def __init__(self):
        super().__init__(alpha=1.0, beta=0.0)
        self.shapes = []

    def distance(self, output, stored, competed):
        self.shapes.append((output.shape, stored.shape, competed.dtype))
        return (output - stored)[competed].abs().mean()


def test_a_distance_of_ones_own():
    loss = Counting()
    strategy = replay_strategy(memory_size=12, memory_loss=loss)
    strategy.train(toy_benchmark().train_stream)
    assert loss.shapes
    assert all(a == b and kind == torch.bool for a, b, kind in loss.shapes)
