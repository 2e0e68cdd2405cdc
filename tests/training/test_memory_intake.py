"""The choice of stored samples equals a slow and simple computation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark
from avalanche_emgd.training.memory_intake import Delivered, delivered_by, offer

# Few different keys, so that ties occur.
SAMPLES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=12)


@settings(deadline=None)
@given(st.lists(SAMPLES, min_size=1, max_size=4), st.integers(1, 4))
def test_the_smallest_keys_of_each_class_stay(offered, size):
    stores, expected, number = {}, {}, 0
    for samples in offered:
        before = {label: list(kept) for label, kept in expected.items()}
        for label, key in samples:
            expected.setdefault(label, []).append((key, float(number)))
            number += 1
        expected = {label: sorted(kept)[:size] for label, kept in expected.items()}
        new = torch.arange(number - len(samples), number)
        labels, keys = (
            torch.tensor(each) for each in (list(zip(*samples, strict=True)) or [(), ()])
        )
        loaded = []

        def load(indices, loaded=loaded):
            loaded.extend(indices.tolist())
            return indices.float()[:, None]

        offered_now = Delivered("task", 5, new, labels.long(), 4, load, new)
        offer(stores, offered_now, keys.double(), size)
        assert set(stores) == set(expected)
        for label, store in stores.items():
            assert torch.stack([store.keys, store.inputs[:, 0].double()], 1).tolist() == [
                list(pair) for pair in expected[label]
            ]
            assert store.labels.tolist() == [label] * len(store)
            assert store.task_label == 5
        entered = {i for kept in expected.values() for _, i in kept}
        entered -= {i for kept in before.values() for _, i in kept}
        assert sorted(loaded) == sorted(entered)


def test_repeated_samples_are_considered_once():
    def load(indices):
        return indices

    ids = torch.tensor([7, 3, 7, 9, 3, 4])
    labels = torch.arange(6)
    samples = Delivered("task", 0, 10 + torch.arange(6), labels, 6, load, ids)
    found = samples.unlike(torch.tensor([4, 1]))
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
        for found in delivered_by(experience):
            own = tasks == found.task_label
            assert torch.equal(found.load(found.indices), x[own])
            assert torch.equal(found.labels, y[own])
            assert found.num_classes == 2
            with pytest.raises(ValueError, match=r"`task` must be one of .* found 7"):
                experience.delivered(7)
            assert [int(i) % 30 for i in found.ids] == (x[own, 0] % 100).long().tolist()
