"""Copies of measurements that share the benchmark with the original."""

import copy

import pytest

from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.evaluation import PCLMetrics, live_metrics
from avalanche_emgd.evaluation._sharing_copies import copy_sharing
from tests.toy import toy_benchmark


class Kept:
    def __init__(self, shared):
        self.shared, self.numbers, self.dropped = shared, [[1.0]], "large"
        self.itself = self

    def __getstate__(self):
        return {**vars(self), "dropped": None}

    def __deepcopy__(self, memo):
        return copy_sharing(self, self.shared, memo)


def test_one_object_is_shared_and_the_rest_is_copied():
    original = Kept([1])
    # The original twice, in one structure: one copy.
    twin, again = copy.deepcopy([original, original])
    assert twin is again
    assert twin is not original
    assert twin.itself is twin
    assert twin.shared is original.shared
    assert twin.numbers == original.numbers
    assert twin.numbers[0] is not original.numbers[0]
    assert (twin.dropped, original.dropped) == (None, "large")


@pytest.mark.parametrize("kind", ["pcl", "live"])
def test_metrics_share_their_stream(kind):
    if kind == "pcl":
        metrics, name = PCLMetrics(toy_benchmark()), "benchmark"
    else:
        (metrics,), name = live_metrics(LiveStream()), "stream"
    twin = copy.deepcopy(metrics)
    assert type(twin) is type(metrics)
    assert twin is not metrics
    assert getattr(twin, name) is getattr(metrics, name)
