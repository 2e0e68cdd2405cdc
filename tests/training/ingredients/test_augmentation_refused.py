"""Inputs and callables that do not fit `memory_augmentation` are refused before training."""

import pytest
import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils import as_classification_dataset
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import EMGDStrategy, LiveStream
from avalanche_emgd.training.ingredients import MemoryAugmentationPlugin
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of
from tests.training.ingredients.images import images, of_images
from tests.training.ingredients.test_augmentation_state import Scaled


def live_vectors():
    stream = LiveStream(batch_size=4)
    stream.add_task(TensorDataset(torch.randn(8, 5), torch.arange(8) % 2), name="first")
    stream.close()
    return stream


def ordinary_vectors():
    samples = TensorDataset(torch.randn(8, 5), torch.arange(8) % 2)
    samples.targets = samples.tensors[1].tolist()
    data = [as_classification_dataset(samples)]
    return benchmark_from_datasets(train=data, test=data).train_stream


@pytest.mark.parametrize(
    "make", [lambda: toy_benchmark().train_stream, live_vectors, ordinary_vectors]
)
def test_inputs_that_are_no_images_are_refused_before_the_first_update(make):
    model = toy_model()
    before = weights_of(model)
    strategy = toy_strategy(EMGDStrategy, model, memory_size=12, memory_augmentation="crops-flips")
    words = r"`memory_augmentation` is for images \[C, H, W\], .* the shape \[5\]: leave it out"
    with pytest.raises(ValueError, match=words):
        strategy.train(make())
    assert torch.equal(weights_of(model), before)
    assert strategy.clock.train_iterations == 0


def test_images_that_are_too_small_are_refused():
    words = "`memory_augmentation` shifts .* 8×8: give it a `padding` of at most 2, or leave it"
    with pytest.raises(ValueError, match=words):
        of_images(memory_augmentation="crops-flips").train(images().train_stream)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (lambda x: x[:1], r"must return inputs of the same shape .* found torch.float32 \[1, 1, 8"),
        (lambda x: x.double(), r"must return .* found torch.float64 \[2, 1, 8, 8\]"),
        (lambda x: None, "must return .* found NoneType"),
        (lambda x: x.unknown, r"cannot take inputs of shape \[2, 1, 8, 8\]: .*unknown"),
        (nn.Linear(3, 3), r"cannot take inputs of shape \[2, 1, 8, 8\]"),
    ],
)
def test_callables_are_tried_before_training(spec, words):
    strategy = of_images(memory_augmentation=spec)
    with pytest.raises(ValueError, match=f"^`memory_augmentation` {words}"):
        strategy.train(images().train_stream)
    assert strategy.clock.train_iterations == 0


def test_a_trial_leaves_no_trace():
    scaled = Scaled()
    plugin = MemoryAugmentationPlugin(scaled, 0)
    state = torch.get_rng_state()
    plugin.check_on(torch.zeros(1, 5))
    MemoryAugmentationPlugin(lambda x: x + torch.randn_like(x), 0).check_on(torch.zeros(1, 5))
    assert scaled.calls == 0
    assert torch.equal(torch.get_rng_state(), state)


def test_callables_that_cannot_be_tried_are_checked_when_used():
    calls = []

    def counted(x):
        calls.append(len(x))
        return x[:1]

    strategy = of_images(memory_augmentation=counted)
    with pytest.raises(ValueError, match="`memory_augmentation` must return inputs"):
        strategy.train(images().train_stream)
    assert len(calls) == 1
