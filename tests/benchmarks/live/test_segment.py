"""Segments show the recent samples of their tasks."""

import torch

from avalanche_emgd.benchmarks.live import LiveStream
from tests.benchmarks.live.common import numbered


def test_recent_samples_are_bounded():
    stream = LiveStream(batch_size=4, recent=10)
    stream.add_task(numbered(400), shuffle=False)
    stream.close()
    (segment,) = iter_all(stream)
    assert sorted(x.item() for x, *_ in segment) == [float(i) for i in range(388, 400)]


def iter_all(stream):
    """Return the data sets of segments at their ends."""
    found = []
    for segment in stream:
        while segment.next_tick() is not None:
            assert len(segment.dataset) <= 12
        assert torch.equal(segment.labels, torch.tensor([int(y) for _, y, _ in segment.dataset]))
        indices = segment.delivered(0)
        inputs = segment.inputs_at(indices)
        assert inputs[:, 0].tolist() == [x.item() for x, *_ in segment.dataset]
        found.append(segment.dataset)
    return found
