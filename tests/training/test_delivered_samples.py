"""Samples that an experience has delivered."""

import pytest
import torch
from torch.utils.data import TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark
from avalanche_emgd.training.delivered_samples import DeliveredSamples, delivered_samples


def test_repeated_samples_are_considered_once():
    def load(indices):
        return indices

    ids = torch.tensor([7, 3, 7, 9, 3, 4])
    labels = torch.arange(6)
    samples = DeliveredSamples("task", 0, 10 + torch.arange(6), labels, 6, load, ids)
    found = samples.unseen(torch.tensor([4, 1]))
    assert found.indices.tolist() == [10, 11, 13]
    assert found.labels.tolist() == [0, 1, 3]
    assert found.ids.tolist() == [7, 3, 9]


def test_delivered_samples_are_those_of_the_ticks():
    sets = [
        TensorDataset(torch.arange(30.0)[:, None] + 100 * task, 2 * task + torch.arange(30) % 2)
        for task in range(3)
    ]
    stream = parallel_benchmark(
        sets, sets, Timeline(((0, 14), (5, 19), (7, 21))), batch_size=4, epochs=2
    )
    for experience in stream.train_stream:
        batches = [experience.load(deliveries) for deliveries in experience.deliveries]
        x, y, tasks = (torch.cat(column) for column in zip(*batches, strict=True))
        for found in delivered_samples(experience):
            own = tasks == found.task_label
            assert torch.equal(found.load(found.indices), x[own])
            assert torch.equal(found.labels, y[own])
            assert found.num_classes == 2
            with pytest.raises(ValueError, match=r"`task` must be one of .* found 7"):
                experience.delivered(7)
            assert [int(i) % 30 for i in found.ids] == (x[own, 0] % 100).long().tolist()
