"""Tasks that any thread adds, and those that cannot be added."""

import threading

import pytest
import torch
from torch.utils.data import TensorDataset

from avalanche_emgd.benchmarks.live import LiveStream
from tests.benchmarks.live.common import drain, numbered


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": 3}, "`data` of task 'task1' must be a data set"),
        ({"data": "text"}, "`data` of task 'task1' must be a data set"),
        ({"data": numbered(3), "name": "a"}, "`name` 'a' is that of an active task"),
        ({"data": numbered(3), "name": "memory-a"}, "must not start with 'memory'"),
        ({"data": numbered(3), "name": ""}, "`name` must be text"),
        ({"data": numbered(3), "classes": []}, "`classes` must be a list"),
        ({"data": numbered(3), "classes": "01"}, "`classes` must be a list"),
        ({"data": numbered(3), "classes": 3}, "`classes` must be a list"),
        ({"data": [(0.0, 0)], "classes": [1.5]}, "1.5 is no class label"),
        ({"data": numbered(0)}, "`data of task1` has no sample"),
        ({"data": numbered(3), "name": "\ud800"}, "`name` has characters that cannot be encoded"),
        ({"data": numbered(3), "epochs": True}, "`epochs` must be"),
        ({"data": numbered(3), "test": 3}, "`test` of task 'task1' must be a data set"),
        ({"data": numbered(3), "classes": [0]}, r"lack the labels \[1\]"),
        ({"data": numbered(3), "classes": ["x", "y"]}, "label 'x' is text"),
        ({"data": numbered(3), "epochs": 0}, "`epochs` must be"),
        ({"data": [(0.0, 0)], "epochs": 2}, "`epochs` is for map-style"),
        ({"data": numbered(3), "test": numbered(0)}, "`test of task1`|has no sample"),
        ({"data": TensorDataset(torch.zeros(2, 1))}, "must have inputs and class labels"),
    ],
)
def test_tasks_that_cannot_be_added(arguments, message):
    stream = LiveStream(batch_size=2)
    stream.add_task(numbered(2), name="a")
    with pytest.raises(ValueError, match=message):
        stream.add_task(**arguments)
    # Nothing is left of it.
    assert stream.add_task(numbered(2), name="b") == "b"
    stream.close()
    drain(stream)
    assert [task.name for task in stream.tasks] == ["a", "b"]
    with pytest.raises(ValueError, match="after close"):
        stream.add_task(numbered(2))


def test_many_threads_add_tasks_at_once():
    stream, names = LiveStream(batch_size=2), []

    def add():
        names.extend([stream.add_task(numbered(4)) for _ in range(10)])

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream.close()
    drain(stream)
    assert len(set(names)) == 80
    assert sum(task.samples for task in stream.tasks) == 320


def test_two_active_tasks_do_not_share_a_source():
    stream, samples = LiveStream(batch_size=2), list(numbered(4))
    generator = iter(samples)
    stream.add_task(generator, name="a")
    stream.add_task(samples, name="b")
    stream.add_task(samples, name="c")  # each task iterates over a list by itself
    with pytest.raises(ValueError, match="`data` of task 'd' are those of the active task 'a'"):
        stream.add_task(generator, name="d")
    stream.close()
    drain(stream)
    assert [task.samples for task in stream.tasks] == [4, 4, 4]
