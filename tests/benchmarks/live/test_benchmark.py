"""The benchmark of a live stream has the tasks and classes so far."""

import copy

from avalanche_emgd.benchmarks.live import LiveStream
from tests.benchmarks.live.common import drain, numbered


def test_streams_differ_though_their_settings_agree():
    first, second = LiveStream().benchmark, LiveStream().benchmark
    assert first != second
    assert first == first
    second.restore(first.identity)
    assert first == second
    assert hash(first) == hash(second)


def test_test_samples_follow_the_classes_of_their_task():
    stream = LiveStream(batch_size=4)
    stream.add_task(numbered(4), name="a", test=numbered(6))
    stream.add_task(numbered(4), name="b")
    stream.close()
    drain(stream)
    (test,) = stream.test_stream
    assert test.classes_in_this_experience == [0, 1]
    assert len(test.dataset) == 6
    assert next(iter(stream.test_stream)) is test
    assert copy.copy(test).task_label == 0
