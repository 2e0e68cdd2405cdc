"""Loading of many samples at once equals loading one by one."""

import pytest
import torch
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark
from avalanche_emgd.benchmarks.images import ImagesInMemory

SPANS = Timeline(((0, 5), (2, 7), (4, 9)))


def tensors(task, size=40, dtype=torch.float32):
    generator = torch.Generator().manual_seed(task)
    x = torch.randint(256, (size, 3, 4, 4), generator=generator).to(dtype)
    return x, 2 * task + torch.arange(size) % 2


def in_tensors(task):
    return TensorDataset(*tensors(task))


def in_subsets(task):
    return Subset(TensorDataset(*tensors(task, 90)), list(range(80, 0, -2)))


def in_images(task):
    return ImagesInMemory(*tensors(task, dtype=torch.uint8), (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))


def mixed(task):
    return in_images(task) if task == 1 else in_tensors(task)


@pytest.mark.parametrize("make", [in_tensors, in_subsets, in_images, mixed])
def test_ticks_and_inputs_are_those_loaded_one_by_one(make):
    sets = [make(task) for task in range(3)]
    # Samples of a concatenation load one by one.
    slow = [ConcatDataset([each]) for each in sets]
    fast, plain = (parallel_benchmark(each, sets, SPANS, batch_size=7) for each in (sets, slow))
    for one, other in zip(fast.train_stream, plain.train_stream, strict=True):
        assert one._in_memory is not None
        assert other._in_memory is None
        assert torch.equal(one.labels, other.labels)
        for deliveries in one.deliveries:
            for found, expected in zip(one.load(deliveries), other.load(deliveries), strict=True):
                assert torch.equal(found, expected)
                assert found.dtype == expected.dtype
        for found, expected in zip(one.load_ticks(), other.load_ticks(), strict=True):
            assert list(map(torch.equal, found, expected)) == [True, True, True]
        some = torch.tensor([len(one.dataset) - 1, 0, len(one.dataset) // 2])
        assert torch.equal(one.inputs_at(some), other.inputs_at(some))


def test_a_minibatch_may_be_changed():
    sets = [in_tensors(task) for task in range(3)]
    experience = parallel_benchmark(sets, sets, SPANS, batch_size=7).train_stream[2]
    before = [experience.load(deliveries) for deliveries in experience.deliveries]
    assert len(before) > 1
    for columns in (*experience.load_ticks(), experience.load(experience.deliveries[0])):
        for column in columns:
            column.zero_()
    for found, expected in zip(experience.load_ticks(), before, strict=True):
        assert list(map(torch.equal, found, expected)) == [True, True, True]
    assert any(bool(y.any()) for _, y, _ in before)
