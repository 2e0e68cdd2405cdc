"""A short soak of a live stream: nothing grows with the number of ticks."""

import gc
import sys

import pytest
import torch

from benchmarks.soak import MEMORY, differences, soak, tenths


def held(thing):
    """Count the tensor elements and container entries that an object refers to."""
    seen, total, waiting = set(), 0, [thing]
    while waiting:
        each = waiting.pop()
        kinds = (dict, list, tuple, set, torch.Tensor)
        if id(each) in seen or isinstance(each, (type(sys), type)):
            continue
        seen.add(id(each))
        total += each.numel() if isinstance(each, torch.Tensor) else 0
        total += len(each) if isinstance(each, kinds[:4]) else 0
        waiting += [] if isinstance(each, torch.Tensor) else gc.get_referents(each)
        if len(seen) > 200_000:
            break
    return total


@pytest.fixture(scope="module")
def soaked():
    strategies = []
    plugin, stream = soak(ticks=600, tasks=8, segments=60, batch_size=4, keep=strategies.append)
    return plugin, stream, *strategies


def test_a_stream_holds_its_tasks_and_recent_samples(soaked):
    plugin, stream, _ = soaked
    assert stream.tick == 600
    assert len(stream.tasks) == 8
    assert 50 <= stream.num_segments <= 70
    assert all(task.rounds >= 3 for task in stream.tasks)
    found = tenths(plugin)
    assert len(found) == 10
    assert len(differences(found)) == 2
    # What the stream holds follows from tasks, recent samples and minibatches that are ready.
    active = sum(task.is_active for task in stream.tasks)
    samples = sum(len(y) for task in stream._tasks for _, y in task.recent)
    assert samples <= active * (stream.recent + 4)
    assert len(stream._gathering) <= active
    state = stream.state_dict()
    assert held({**state, "segment": None}) < 200 * len(stream.tasks)


def test_the_memory_of_a_strategy_is_bounded(soaked):
    _, stream, strategy = soaked
    active = sum(task.is_active for task in stream.tasks)
    aside = sum(len(s) for stores in strategy.memory._streaming.values() for s in stores.values())
    assert len(strategy.memory) <= MEMORY
    assert aside <= 1.5 * MEMORY * active + 64
    assert len(strategy._progress.done) == 0
    factors = strategy.weighting.elastic.state_dict()["objectives"]
    assert len(factors) <= len(stream.tasks) + 1  # and the memory
