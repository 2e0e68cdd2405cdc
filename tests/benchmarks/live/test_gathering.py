"""Minibatches that are ready for the next tick."""

import pytest
import torch

from avalanche_emgd.benchmarks.live import LiveStream
from tests.benchmarks.live.common import drain, numbered


def test_classes_are_taken_as_they_come():
    samples = [(torch.zeros(1), label) for label in ["x", "x", "y", "y", "x", "z"]]
    stream = LiveStream(batch_size=2)
    stream.add_task(iter(samples))
    stream.close()
    _, segments = drain(stream)
    assert [segment.classes_in_this_experience for segment in segments] == [[0], [0, 1], [0, 1, 2]]
    assert stream.benchmark.class_names == {0: "x", 1: "y", 2: "z"}
    assert [len(segment.ticks) for segment in segments] == [1, 1, 1]


def test_a_last_minibatch_that_is_too_small_is_dropped():
    stream = LiveStream(batch_size=4)
    stream.smallest = 2
    stream.add_task(numbered(9), name="a")
    stream.close()
    ticks, _ = drain(stream)
    assert [len(parts["a"]) for parts in ticks] == [4, 4]
    assert stream.num_dropped == 1


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([(torch.zeros(2), 0), (torch.zeros(3), 0)], "cannot be used"),
        ([(torch.zeros(2), 0), (torch.zeros(2), 7)], "has the label 7, which is not among"),
    ],
)
def test_data_that_differ_from_those_before_are_an_error(samples, message):
    stream = LiveStream(batch_size=1)
    stream.add_task(iter(samples), name="a", classes=[0, 1])
    stream.close()
    with pytest.raises(RuntimeError, match=f"The data of task 'a' .*{message}"):
        drain(stream)
    assert [task.is_active for task in stream.tasks] == [False]
