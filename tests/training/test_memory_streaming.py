"""The memory of a live stream: a fair sample of all that was streamed of a class."""

import warnings
from collections import Counter

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from avalanche_emgd import ReplayMemory
from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.training.delivered_samples import offered_samples
from tests.training.test_recurring_classes import water_filled

# A task: its name, the tick at which it is added, its class labels in order.
TASKS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 8),
        st.lists(st.integers(0, 3), min_size=1, max_size=30),
    ),
    min_size=1,
    max_size=5,
)


def until_idle(stream):
    """Yield segments until no task is active."""
    stream.max_idle = 0.0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*max_idle")
        yield from stream


def drive(memories, tasks, scenario="class", batch_size=3, look=None):
    """Stream numbered samples through memories; return (task, class) of each sample."""
    stream = LiveStream(batch_size=batch_size, scenario=scenario)
    waiting, number, owners = sorted(tasks, key=lambda task: task[1]), 0, []

    def add():
        nonlocal number
        active = {task.name for task in stream.tasks if task.is_active}
        for task in list(waiting):
            name, tick, labels = task
            if tick <= stream.tick and name not in active:
                waiting.remove(task)
                active.add(name)
                x = torch.arange(number, number + len(labels), dtype=torch.float64)[:, None]
                number += len(labels)
                owners.extend((name, label) for label in labels)
                stream.add_task(
                    TensorDataset(x, torch.tensor(labels)),
                    name=name,
                    classes=[0, 1, 2, 3],
                    shuffle=False,
                )

    while waiting:
        add()
        if stream._tasks.active == [] and not stream._additions.waiting:  # its tick is later
            waiting[:] = [(name, 0, labels) for name, _, labels in waiting]
            continue
        for segment in until_idle(stream):
            for memory in memories:
                memory.pre_adapt(None, segment)
            while (batch := segment.next_tick()) is not None:
                for part in batch.parts:
                    for memory in memories:
                        memory.stream(offered_samples(segment, batch, part.objective))
                add()
            for memory in memories:
                memory.post_adapt(None, segment)
                if look is not None:
                    look(memory)
    return owners


@settings(max_examples=60, deadline=None)
@given(TASKS, st.integers(1, 25), st.integers(0, 3), st.sampled_from(["class", "task"]))
def test_samples_with_the_smallest_keys_of_the_whole_life_of_a_class(
    tasks, capacity, seed, scenario
):
    memory, everything = ReplayMemory(capacity, seed), ReplayMemory(100_000, seed)
    aside = []

    def look(each):
        if each is memory:
            assert len(memory) <= capacity
            aside.extend(
                sum(map(len, stores.values())) <= 1.5 * capacity + 12
                for stores in memory._streaming.values()
            )

    owners = drive([memory, everything], tasks, scenario, look=look)
    assert all(aside)
    assert not memory._streaming
    groups = [owner if scenario == "task" else ("", owner[1]) for owner in owners]
    counts = Counter(groups)
    assert len(everything) == len(owners)
    assert len(memory) == min(capacity, len(owners))
    held = Counter(groups[int(i)] for i in memory.inputs[:, 0])
    if capacity >= len(counts):
        assert sorted(held.values()) == sorted(water_filled(capacity, counts).values())
    else:
        assert set(held.values()) == {1}
    # Both draw the same keys; of each class those samples stay whose keys are the smallest.
    keys = {}
    for store in everything._finished:
        for key, i in zip(store.keys.tolist(), store.inputs[:, 0].tolist(), strict=True):
            keys.setdefault(groups[int(i)], []).append((key, i))
    expected = {i for group, n in held.items() for _, i in sorted(keys[group])[:n]}
    assert set(memory.inputs[:, 0].tolist()) == expected
    state = ReplayMemory(1)
    state.load_state_dict(memory.state_dict())
    assert state._limits == memory._limits
    assert state._is_live


def test_every_sample_of_a_class_is_equally_likely_whenever_it_came():
    tasks = [("a", 0, [0, 1] * 12), ("b", 2, [0] * 12), ("a", 9, [1, 0] * 6)]
    counts, runs, most = Counter(), 250, 6
    for seed in range(runs):
        memory = ReplayMemory(most, seed)
        owners = drive([memory], tasks)
        counts.update(memory.inputs[:, 0].long().tolist())
    labels = torch.tensor([label for _, label in owners])
    for label in (0, 1):
        chosen = (labels == label).nonzero().flatten().tolist()
        share = most / 2 / len(chosen)
        deviation = (runs * share * (1.0 - share)) ** 0.5
        # Within 5 deviations: one of these 48 fails once in 36,000 runs of the test.
        assert all(abs(counts[i] - runs * share) < 5.0 * deviation for i in chosen)
        # The sum over the first half of the stream has the variance of a hypergeometric share.
        half = chosen[: len(chosen) // 2]
        kept = sum(counts[i] for i in half)
        spread = (runs * most / 2 / 4) ** 0.5
        assert abs(kept - runs * most / 4) < 5.0 * spread


def test_a_larger_capacity_takes_later_samples():
    memory = ReplayMemory(4)
    stream = LiveStream(batch_size=4)
    data = TensorDataset(torch.arange(40.0)[:, None], torch.zeros(40, dtype=torch.long))
    for size in (4, 12):
        memory.resize(None, size)
        stream.add_task(data, name="a")
        for segment in until_idle(stream):
            memory.pre_adapt(None, segment)
            while (batch := segment.next_tick()) is not None:
                memory.stream(offered_samples(segment, batch, "a"))
            memory.post_adapt(None, segment)
        assert len(memory) == size
