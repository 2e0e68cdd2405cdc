"""Iterables as sources, and samples that cannot be used."""

import pytest
import torch
from PIL import Image

from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.benchmarks.live.iterable_source import IterableSource
from tests.benchmarks.live.common import numbered


def test_a_generator_says_what_is_lost():
    source = IterableSource(iter(list(numbered(6))))
    assert "cannot skip the 4 samples" in source.load_state_dict({"num_delivered": 4})


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([torch.zeros(2)], "sample 0 is of type Tensor: give"),
        ([(torch.zeros(2), 0), (torch.zeros(3), 0)], "differ in shape or type"),
        ([(Image.new("RGB", (2, 2)), 0)], "sample 0 is a Pillow image"),
        ([("text", 0)], "sample 0 cannot be a tensor"),
        ([(torch.zeros(2), "x")], "label 'x' is text"),
        ([(torch.zeros(2), 0.5)], r"0\.5"),
        ([(torch.zeros(2), -1)], r"label -1 must be in 0\.\."),
        ([(torch.zeros(2), 10**9)], "label 1000000000 must be in"),
        ([(torch.zeros(2), 7)], "label 7, which is not among its `classes`"),
    ],
)
def test_samples_that_cannot_be_used(samples, message):
    stream = LiveStream(batch_size=4)
    stream.add_task(iter(samples), classes=[0, 1])
    stream.close()
    with pytest.raises(RuntimeError, match=rf"data of task 'task0' cannot be used: .*{message}"):
        next(iter(stream))
    assert list(stream) == []  # the task has ended


def test_an_error_of_a_generator_comes_after_the_samples_before():
    def broken():
        yield from list(numbered(4))
        raise OSError("the camera is unplugged")

    stream = LiveStream(batch_size=2)
    stream.add_task(broken(), classes=[0, 1])
    stream.close()
    segment = next(iter(stream))
    assert segment.next_tick() is not None
    assert segment.next_tick() is not None
    with pytest.raises(RuntimeError, match="'task0' cannot be used: the camera is unplugged"):
        segment.next_tick()
