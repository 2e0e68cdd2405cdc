"""Live streams: tasks, segments, waiting and states."""

import threading
import time
import warnings
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from avalanche_emgd.benchmarks.live import LiveStream
from tests.benchmarks.live.common import drain, numbered


# For each task: the tick at which it is added, its number of samples, and whether it is a list.
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(1, 25), st.booleans()), min_size=1, max_size=5
    ),
    st.integers(1, 5),
)
def test_spans_follow_from_starts_and_sizes(tasks, batch_size):
    stream = LiveStream(batch_size=batch_size, max_wait=30.0)
    tasks = [(0, *tasks[0][1:]), *tasks[1:]]

    def add(after):
        for number, (start, size, is_list) in enumerate(tasks):
            if start == after + 1:
                data = numbered(size, 1000 * number)
                stream.add_task(list(data) if is_list else data, name=str(number), classes=[0, 1])
        if after + 1 == max(start for start, *_ in tasks):
            stream.close()

    add(-1)
    # A tick needs an active task: a stream that has none waits, so further ones start now.
    starts, ends = {}, {}
    ticks, segments = [], []
    while not stream.has_ended:
        stream.max_idle = 0.0
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*max_idle")
            more, found = drain(stream, add)
        ticks += more
        segments += found
        if not stream.has_ended:
            tasks = [(min(s, stream.tick) if s >= stream.tick else s, *r) for s, *r in tasks]
            add(stream.tick - 1)
    for tick, parts in enumerate(ticks):
        for name in parts:
            starts.setdefault(name, tick)
            ends[name] = tick
    for number, (start, size, _) in enumerate(tasks):
        name = str(number)
        assert starts[name] == start
        assert ends[name] - starts[name] + 1 == -(-size // batch_size)
        delivered = [x for parts in ticks for x in parts.get(name, [])]
        assert sorted(delivered) == [1000.0 * number + i for i in range(size)]
    for segment in segments:
        names = [{*ticks[tick]} for tick in segment.ticks]
        assert all(each == names[0] for each in names)
    assert [task.skipped for task in stream.tasks] == [0] * len(tasks)


def test_a_slow_source_is_skipped_and_counted():
    """A tick waits once for a source that has nothing, and then no more before it delivers."""
    release = threading.Event()

    def slow():
        release.wait(30.0)
        yield from list(numbered(4, 1000))

    stream = LiveStream(batch_size=2, max_wait=0.2)
    stream.add_task(numbered(20), name="fast")
    stream.add_task(slow(), name="slow", classes=[0, 1])
    stream.close()
    times = [time.monotonic()]

    def on_tick(tick):
        times.append(time.monotonic())
        if tick == 6:
            release.set()
            time.sleep(0.3)

    ticks, _ = drain(stream, on_tick)
    assert ["slow" in parts for parts in ticks[:8]] == 7 * [False] + [True]
    slow_status = stream.tasks[1]
    assert (slow_status.samples, slow_status.skipped) == (4, 7)
    waits = [b - a for a, b in pairwise(times[:7])]
    assert waits[0] >= 0.2
    assert sum(waits[1:]) < 0.2  # none of them waits


def test_a_task_returns_under_its_name():
    stream = LiveStream(batch_size=4)
    stream.add_task(numbered(4), name="a")
    stream.add_task(numbered(12, classes=(2, 3)), name="b")

    def on_tick(tick):
        if tick == 1:
            stream.add_task(numbered(4, 100, classes=(1, 4)), name="a")
            stream.close()

    _, segments = drain(stream, on_tick)
    assert [segment.active_tasks for segment in segments] == [(0, 1), (1,), (0, 1)]
    assert [segment.starting_tasks for segment in segments] == [(0, 1), (), ()]
    assert [segment.finishing_tasks for segment in segments] == [(0,), (), (0, 1)]
    assert stream.tasks[0].classes == (0, 1, 4)
    assert stream.benchmark.num_classes == 5
    assert stream.benchmark.task_names == ("a", "b")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scenario": "domain"}, "`scenario` must be"),
        ({"batch_size": 0}, "`batch_size` must be a whole number"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number"),
        ({"recent": 0}, "`recent` must be a whole number"),
        ({"max_wait": -1.0}, "`max_wait` must be a number of seconds, at least 0"),
        ({"max_wait": None}, "`max_wait` must be a number of seconds"),
        ({"max_wait": float("inf")}, "`max_wait` must be a number of seconds"),
        ({"max_idle": "1"}, "`max_idle` must be a number of seconds"),
        ({"seed": "a"}, "`seed` must be a whole number"),
        ({"max_idle": float("nan")}, "`max_idle` must be a number of seconds, at least 0"),
    ],
)
def test_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        LiveStream(**change)


def test_a_second_iteration_ends_the_first():
    stream = LiveStream(batch_size=2)
    stream.add_task(numbered(8))
    stream.close()
    first = iter(stream)
    segment = next(first)
    assert segment.next_tick() is not None
    other = next(iter(stream))
    assert segment.next_tick() is None
    assert next(first, None) is None
    assert other.next_tick() is not None


def test_lost_samples_are_said():
    stream = LiveStream(batch_size=2)
    stream.add_task(iter(list(numbered(8))), name="a", classes=[0, 1])
    next(iter(stream)).next_tick()
    other = LiveStream(batch_size=2)
    other.load_state_dict(stream.state_dict())
    other.add_task(iter(list(numbered(4))), name="a", classes=[0, 1])
    other.close()
    with pytest.warns(UserWarning, match="task 'a': its data are a generator, which cannot skip"):
        drain(other)
    assert other.tasks[0].samples == 6


def test_tasks_of_different_shapes():
    stream = LiveStream(batch_size=2)
    stream.add_task(numbered(4))
    stream.add_task(TensorDataset(torch.zeros(4, 2), torch.zeros(4)))
    with pytest.raises(RuntimeError, match=r"'task1'.*float32 \[2\], those of the stream .*\[1\]"):
        next(iter(stream))
