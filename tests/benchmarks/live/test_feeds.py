"""Feeds read ahead, within bounds."""

import time

import pytest
import torch

from avalanche_emgd.benchmarks.live.feeds import DirectFeed, ThreadFeed, feed_of
from avalanche_emgd.benchmarks.live.iterable_source import IterableSource
from avalanche_emgd.benchmarks.live.map_source import MapSource
from tests.benchmarks.live.common import Slow, numbered


def test_data_in_memory_need_no_thread():
    assert isinstance(feed_of(MapSource(numbered(3), "data"), 2), DirectFeed)
    assert isinstance(feed_of(MapSource(Slow(3), "data"), 2), ThreadFeed)


def test_a_generator_is_not_read_far_ahead():
    read = []

    def endless():
        i = 0
        while True:
            read.append(i)
            yield torch.tensor([float(i)]), 0
            i += 1

    feed = ThreadFeed(IterableSource(endless()), 4)
    for _ in range(5):
        assert feed.take(5.0) is not None
    time.sleep(0.2)
    assert len(read) <= 4 * (5 + 4)  # two in the queue, one in hand, one in work
    feed.stop()


def test_the_end_is_known_after_the_last_minibatch():
    for data in (numbered(3), Slow(3)):
        feed = feed_of(MapSource(data, "data"), 2)
        assert [len(feed.take(10.0)) for _ in range(2)] == [2, 1]
        assert feed.take(10.0) is None
        assert feed.ended
        assert feed.take(10.0) is None


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, OSError])
def test_no_error_of_a_source_ends_the_process(kind):
    def broken():
        yield torch.zeros(1), 0
        raise kind("cable")

    feed = ThreadFeed(IterableSource(broken()), 1)
    assert feed.take(10.0) is not None
    with pytest.raises(Exception, match=r"cable|has raised (SystemExit|KeyboardInterrupt)"):
        feed.take(10.0)
    assert feed.ended
