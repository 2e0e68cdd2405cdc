"""State of augmentation: its generator in resumed runs and in copies."""

import copy
import pickle

import pytest
import torch

from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.training.ingredients import Augmentation, MemoryAugmentationPlugin
from avalanche_emgd.training.plugins import AugmentationPlugin
from tests.training.common import weights_of
from tests.training.ingredients.images import (
    EVERYTHING,
    SMALL,
    data_of,
    image_model,
    images,
    of_images,
)
from tests.training.state.common import Saved, assert_equal, from_file, of_method, outcome


def test_the_seed_decides_and_no_other_generator_draws_the_same():
    x = data_of()[0].tensors[0]
    plugin, again, other = (MemoryAugmentationPlugin(Augmentation(2), seed) for seed in (1, 1, 2))
    first = plugin.augmented(x)
    assert torch.equal(first, again.augmented(x))
    assert not torch.equal(first, other.augmented(x))
    assert not torch.equal(first, AugmentationPlugin(2, seed=1).augment(x))
    assert not torch.equal(first, plugin.augmented(x))
    for seed in (-1, 2**64 - 1):
        MemoryAugmentationPlugin(Augmentation(2), seed)


def test_the_options_seed_reaches_it():
    found = []
    for seed in (0, 0, 5):
        strategy = of_images(memory_augmentation=SMALL, seed=seed)
        found.append(strategy.memory_augmentation.augmented(data_of()[0].tensors[0]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("method", ["emgd++", "er", "icarl", "gss", "mir", "mdmt-r"])
def test_a_resumed_run_equals_one_without_interruption(method):
    settings, saved = {"memory_augmentation": SMALL}, Saved([0, 5, 8])
    arguments = {"benchmark": images(), "model": image_model()}
    whole, metrics = of_method(method, settings, [saved], **arguments)
    whole.train(metrics.benchmark.train_stream)
    expected = outcome(whole, metrics)
    for content in saved.files:
        arguments = {"benchmark": images(), "model": image_model()}
        rest, again = of_method(method, settings, [Saved([])], **arguments)
        rest.load_state_dict(from_file(content))
        rest.train(again.benchmark.train_stream)
        assert_equal(outcome(rest, again), expected)


class Scaled:
    """Augmentation with a state of its own."""

    def __init__(self):
        self.calls = 0

    def __call__(self, inputs):
        self.calls += 1
        return inputs / self.calls

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]


def test_the_state_of_a_callable_is_kept():
    saved = Saved()
    whole, metrics = of_method("er", {"memory_augmentation": Scaled()}, [saved])
    whole.train(metrics.benchmark.train_stream)
    rest, again = of_method("er", {"memory_augmentation": Scaled()}, [Saved([])])
    rest.load_state_dict(from_file(saved.files[-3]))
    rest.train(again.benchmark.train_stream)
    assert rest.memory_augmentation.transform.calls == whole.memory_augmentation.transform.calls > 3
    assert_equal(outcome(rest, again), outcome(whole, metrics))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_go_on_alike(way):
    stream = images().train_stream
    strategy = of_images(engine=PlainEngine(), **EVERYTHING)
    strategy.train(stream[:3])
    other = way(strategy)
    for each in (strategy, other):
        each.train(stream[3:])
    assert torch.equal(weights_of(other.model), weights_of(strategy.model))
    assert torch.equal(other.memory.inputs, strategy.memory.inputs)
