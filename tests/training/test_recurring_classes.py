"""The replay memory with recurring classes equals a slow and simple computation."""

from collections import Counter

import pytest
import torch
from avalanche.benchmarks import (
    benchmark_from_datasets,
    nc_benchmark,
    ni_benchmark,
    split_online_stream,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from avalanche_emgd import ReplayMemory
from avalanche_emgd.benchmarks.datasets import with_labels
from avalanche_emgd.training.ingredients import GSSMemory
from tests.training.common import toy_strategy


class Labelled(TensorDataset):
    @property
    def targets(self):
        return self.tensors[1].tolist()


def data(size, classes=4):
    draw = torch.Generator().manual_seed(0)
    return Labelled(torch.randn(size, 5, generator=draw), torch.arange(size) % classes)


def stream_of(experiences, tasks=None):
    """Make an ordinary stream with numbered samples.

    :param experiences: class labels of each.
    :param tasks: a task label for each; 0 if omitted.
    """
    datasets, number = [], 0
    for k, labels in enumerate(experiences):
        x = torch.arange(number, number + len(labels), dtype=torch.float64)[:, None]
        number += len(labels)
        plain = TensorDataset(x, torch.tensor(labels))
        datasets.append(with_labels(plain, list(labels), 0 if tasks is None else tasks[k]))
    return benchmark_from_datasets(train=datasets, test=datasets).train_stream


def fill(memory, stream):
    for experience in stream:
        memory.post_adapt(None, experience)
    return memory


def water_filled(capacity, counts):
    """Assign places one by one to the group with the fewest places that still has samples."""
    shares = dict.fromkeys(counts, 0)
    for _ in range(capacity):
        open_ = [group for group in counts if shares[group] < counts[group]]
        if open_:
            shares[min(open_, key=lambda group: shares[group])] += 1
    return shares


EXPERIENCES = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=12), min_size=1, max_size=7)


@settings(max_examples=100)
@given(EXPERIENCES, st.integers(1, 25), st.integers(0, 3))
def test_shares_are_water_filled_and_samples_have_the_smallest_keys(experiences, capacity, seed):
    stream = stream_of(experiences)
    memory, everything = ReplayMemory(capacity, seed), ReplayMemory(10_000, seed)
    counts = Counter()
    for labels, experience in zip(experiences, stream, strict=True):
        counts.update(labels)
        for each in (memory, everything):
            each.post_adapt(None, experience)
        held = Counter(memory._labels.tolist())
        assert len(memory) == min(capacity, sum(counts.values()))
        if capacity >= len(counts):
            assert set(held) == set(counts)
            assert sorted(held.values()) == sorted(water_filled(capacity, counts).values())
        else:
            assert set(held.values()) == {1}
        assert all(len(store) for store in memory._finished)
        # Both memories draw the same keys, and store the samples of a class with the smallest keys.
        keys = {}
        for store in everything._finished:
            found = zip(store.keys.tolist(), store.inputs[:, 0].tolist(), strict=True)
            keys.setdefault(int(store.labels[0]), []).extend(found)
        expected = {i for label, n in held.items() for _, i in sorted(keys[label])[:n]}
        assert set(memory.inputs[:, 0].tolist()) == expected


@settings(max_examples=50)
@given(EXPERIENCES, st.integers(1, 25), st.data())
def test_classes_of_different_task_labels_have_their_own_shares(experiences, capacity, draw):
    tasks = [draw.draw(st.integers(0, 1)) for _ in experiences]
    memory = fill(ReplayMemory(capacity), stream_of(experiences, tasks))
    counts = Counter(
        (task, label) for task, labels in zip(tasks, experiences, strict=True) for label in labels
    )
    held = Counter(zip(memory._task_labels.tolist(), memory._labels.tolist(), strict=True))
    assert len(memory) == min(capacity, sum(counts.values()))
    if capacity >= len(counts):
        assert set(held) == set(counts)
        assert sorted(held.values()) == sorted(water_filled(capacity, counts).values())


def test_every_sample_of_a_class_is_equally_likely_whenever_it_came():
    stream, counts = list(stream_of([[0, 1] * 3] * 4)), Counter()
    for seed in range(300):
        counts.update(fill(ReplayMemory(4, seed), stream).inputs[:, 0].tolist())
    # Two of the 12 samples of each class are kept: 50 times each, within 5 deviations.
    assert len(counts) == 24
    assert all(17 < count < 83 for count in counts.values())


def test_a_random_choice_among_more_classes_than_places():
    stream, counts = list(stream_of([[k] * 5 for k in range(8)])), Counter()
    for seed in range(200):
        counts.update(fill(ReplayMemory(2, seed), stream)._labels.tolist())
    assert all(19 < counts[label] < 81 for label in range(8))


@pytest.mark.parametrize("kind", [ReplayMemory, GSSMemory])
def test_online_streams(kind):
    whole = nc_benchmark(data(400), data(40), n_experiences=2, task_labels=False)
    strategy = toy_strategy(
        memory_selection="gss" if kind is GSSMemory else "random",
        memory_size=20,
        train_mb_size=10,
    )
    for experience in split_online_stream(whole.train_stream, experience_size=10):
        strategy.train(experience)
    memory = strategy.memory
    assert len(memory) == 20
    assert len(memory._finished) <= 20
    if kind is ReplayMemory:
        assert Counter(memory._labels.tolist()) == dict.fromkeys(range(4), 5)
    # The stored samples are not only from the beginning or from the end.
    places = {int(task.removeprefix("experience")) for task in memory.tasks}
    assert min(places) < 20 <= max(places)


@pytest.mark.parametrize("objectives", ["one", "per-task"])
def test_domains(objectives):
    domains = ni_benchmark(data(400), data(40), n_experiences=8, task_labels=False, seed=0)
    strategy = toy_strategy(memory_size=40, train_mb_size=10, memory_objectives=objectives)
    strategy.train(domains.train_stream)
    assert Counter(strategy.memory._labels.tolist()) == dict.fromkeys(range(4), 10)
    assert strategy.memory.tasks == [f"experience{k}" for k in range(8)]


def test_edits_annotations_and_states_survive(tmp_path):
    stream = list(stream_of([[0, 1] * 10] * 6))
    memory = fill(ReplayMemory(12), stream[:2])
    memory.annotate("name", lambda x, *_: x + 0.5)
    memory.inputs.add_(1000.0)
    before = set(memory.inputs[:, 0].tolist())
    torch.save(memory.state_dict(), tmp_path / "memory.pt")
    other = ReplayMemory(1)
    other.load_state_dict(torch.load(tmp_path / "memory.pt", weights_only=True))
    for each in (memory, other):
        fill(each, stream[2:])
        each.annotate("name", lambda x, *_: x + 0.5)
    assert torch.equal(memory.inputs, other.inputs)
    assert torch.equal(memory.choose(6), other.choose(6))
    edited = memory.inputs[:, 0] >= 1000.0
    assert edited.any()
    assert not edited.all()
    assert set(memory.inputs[edited, 0].tolist()) < before
    originals = torch.where(edited, memory.inputs[:, 0] - 1000.0, memory.inputs[:, 0])
    assert torch.equal(memory.annotation("name")[:, 0], originals + 0.5)


def test_stored_logits_of_recurring_classes():
    domains = ni_benchmark(data(200), data(40), n_experiences=5, task_labels=False, seed=0)
    strategy = toy_strategy(memory_loss="stored-logits", memory_size=12, train_mb_size=10)
    strategy.train(domains.train_stream)
    assert strategy.memory.annotation("logits").shape == (12, 6)


def test_a_state_of_an_earlier_release_is_refused():
    state = ReplayMemory(3).state_dict()
    del state["groups"]
    with pytest.raises(
        ValueError, match=r"`state` must be .* of this release, found no \['groups'"
    ):
        ReplayMemory(3).load_state_dict(state)


def test_a_larger_capacity_takes_effect():
    stream = list(stream_of([[0, 1] * 10] * 4))
    memory = fill(ReplayMemory(4), stream[:2])
    memory.resize(None, 20)
    assert len(fill(memory, stream[2:])) == 20
