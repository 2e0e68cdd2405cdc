"""Tasks keep their last samples only."""

from avalanche_emgd.benchmarks.live import LiveStream
from tests.benchmarks.live.common import drain, numbered


def test_the_status_counts_what_was_delivered():
    stream = LiveStream(batch_size=4)
    stream.add_task(numbered(10), name="a")
    stream.close()
    drain(stream)
    (status,) = stream.tasks
    assert (status.ticks, status.samples, status.rounds, status.is_active) == (3, 10, 1, False)


def test_recent_samples_go_with_the_next_segment():
    stream = LiveStream(batch_size=4, recent=6)
    stream.add_task(numbered(20), name="a")
    stream.close()
    drain(stream)
    (task,) = stream._tasks
    assert sum(len(y) for _, y in task.recent) == 0
