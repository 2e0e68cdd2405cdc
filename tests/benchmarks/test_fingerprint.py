"""Benchmarks are compared by content.

``tests/distributed`` compares fingerprints of several interpreters.
"""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark
from tests.toy import toy_benchmark, toy_datasets


class Noisy(Dataset):
    """Data set that adds noise by each global generator whenever a sample is loaded."""

    def __init__(self, dataset):
        self.dataset = dataset
        self.targets = dataset.tensors[1].tolist()

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        x, y = self.dataset[index]
        return x + torch.rand(1) + random.random() + np.random.rand(), y  # noqa: NPY002


def noisy_benchmark():
    sets = [Noisy(dataset) for dataset in toy_datasets([8, 8])]
    return parallel_benchmark(sets, sets, Timeline.serial([2, 2]), batch_size=4)


@pytest.mark.parametrize("make", [toy_benchmark, noisy_benchmark])
def test_equal_content_is_equal(make):
    one, again = make(), make()
    copied, unpickled = copy.deepcopy(one), pickle.loads(pickle.dumps(one))
    assert len(one.fingerprint) == 64
    for other in (again, copied, unpickled):
        assert other is not one
        assert other == one
        assert hash(other) == hash(one)
        assert other.fingerprint == one.fingerprint


def other_input():
    sets = toy_datasets([20, 13, 16])
    sets[1].tensors[0].add_(1e-3)
    return parallel_benchmark(sets, toy_datasets([8, 8, 8]), toy_benchmark().timeline, batch_size=4)


def other_test_input():
    sets = toy_datasets([8, 8, 8])
    sets[2].tensors[0].add_(1e-3)
    return parallel_benchmark(
        toy_datasets([20, 13, 16]), sets, toy_benchmark().timeline, batch_size=4
    )


def other_labels():
    sets = toy_datasets([20, 13, 16])
    swapped = TensorDataset(sets[0].tensors[0], sets[0].tensors[1].roll(1))
    return parallel_benchmark(
        [swapped, *sets[1:]], toy_datasets([8, 8, 8]), toy_benchmark().timeline, batch_size=4
    )


@pytest.mark.parametrize(
    "make",
    [
        other_labels,
        other_input,
        other_test_input,
        lambda: toy_benchmark(seed=1),
        lambda: toy_benchmark(scenario="task"),
        lambda: toy_benchmark(timeline=Timeline.joint([5, 4, 4])),
        lambda: toy_benchmark(task_names=["a", "b", "c"]),
        lambda: toy_benchmark((20, 13)),
    ],
)
def test_different_content_is_different(make):
    benchmark = toy_benchmark()
    assert make() != benchmark
    assert make().fingerprint != benchmark.fingerprint


def test_differs_from_objects_of_other_types():
    assert toy_benchmark() != "benchmark"
    assert toy_benchmark() in [toy_benchmark()]


def test_the_fingerprint_does_not_change_the_generators():
    benchmark = noisy_benchmark()
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert benchmark.fingerprint
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert (np.random.get_state()[1] == states[2]).all()  # noqa: NPY002
