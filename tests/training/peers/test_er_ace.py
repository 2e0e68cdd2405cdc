import pytest
import torch

from avalanche_emgd.training.peers import ERACEStrategy
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy
from tests.training.peers.by_hand import CheckLosses, competing, cross_entropies

scenarios = pytest.mark.parametrize("scenario", ["class", "task"])


def labels_of_active(strategy):
    labels = set()
    for part in strategy.mbatch.parts:
        if not part.replayed:
            labels |= set(strategy.mbatch[1][part.start : part.stop].tolist())
    return labels


@scenarios
@pytest.mark.parametrize("memory_objectives", ["one", "per-task"])
def test_active_samples_compete_in_the_tick_and_replayed_ones_in_the_scenario(
    scenario, memory_objectives
):
    narrower = set()

    def expected(strategy, part, x, y, t):
        classes = [competing(strategy.experience, task) for task in t.tolist()]
        if not part.replayed:
            present = labels_of_active(strategy)
            narrower.update(len(present & set(c)) < len(c) for c in classes)
            classes = [sorted(present & set(c)) for c in classes]
        return cross_entropies(strategy.model(x), y, classes).mean()

    check = CheckLosses(expected)
    strategy = toy_strategy(
        ERACEStrategy, memory_size=12, memory_objectives=memory_objectives, plugins=[check]
    )
    strategy.train(toy_benchmark((20, 13, 17), scenario=scenario).train_stream)
    assert check.checked["replayed"] >= 5
    assert narrower == {True, False}


def test_active_samples_do_not_change_finished_classes():
    """Without memory, the classifier's rows of classes that are not in the tick do not change."""
    strategy = toy_strategy(ERACEStrategy)
    *first, last = toy_benchmark().train_stream
    strategy.train(first)
    before = strategy.model.classifier.weight.detach().clone()
    strategy.train(last)
    after = strategy.model.classifier.weight.detach()
    assert torch.equal(after[:4], before[:4])
    assert not torch.equal(after[4:], before[4:])
