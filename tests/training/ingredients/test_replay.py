import pytest
import torch

from avalanche_emgd import ReplayMemory
from avalanche_emgd.training.ingredients import MemoryRetrieval, MemorySelection
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy, weights_of


class Counted(MemorySelection, MemoryRetrieval):
    """A selection and a retrieval of a user's, which are those by chance."""

    def __init__(self):
        self.calls = []

    def make_memory(self, max_size, seed):
        self.calls.append(("memory", max_size, seed))
        return super().make_memory(max_size, seed)

    def make_plugins(self, memory, model):
        self.calls.append(("plugins", type(memory)))
        return super().make_plugins(memory, model)

    def make_replay(self, memory, objectives):
        self.calls.append(("replay", objectives))
        return super().make_replay(memory, objectives)


@pytest.mark.parametrize("objectives", ["one", "per-task"])
def test_the_parts_of_a_subclass_are_asked_and_chance_is_the_default(objectives):
    own, found = Counted(), []
    for options in ({}, {"memory_selection": own, "memory_retrieval": own}):
        strategy = toy_strategy(memory_size=7, seed=3, memory_objectives=objectives, **options)
        strategy.train(toy_benchmark().train_stream)
        found.append(weights_of(strategy.model))
    assert torch.equal(*found)
    assert set(own.calls) == {
        ("memory", 7, 3),
        ("replay", objectives),
        ("plugins", ReplayMemory),
    }
    assert len(own.calls) == 3
