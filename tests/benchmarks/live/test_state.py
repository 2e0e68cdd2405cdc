"""States of streams and their tasks."""

import pytest

from avalanche_emgd.benchmarks.live import LiveStream
from tests.benchmarks.live.common import numbered


def test_states_load_into_new_streams_only():
    stream = LiveStream(batch_size=2)
    stream.add_task(numbered(8), name="a")
    next(iter(stream)).next_tick()
    state = stream.state_dict()
    with pytest.raises(ValueError, match="for a new stream"):
        stream.load_state_dict(state)
    with pytest.raises(ValueError, match="must be that of a LiveStream"):
        LiveStream().load_state_dict({"loader": None})
    other = LiveStream(batch_size=2)
    assert other.load_state_dict(state) == ["a"]
    with pytest.raises(ValueError, match="`name` must be one of the tasks"):
        other.set_test("b", numbered(2))


def test_active_tasks_count_their_round_again():
    stream = LiveStream(batch_size=2)
    stream.add_task(numbered(8), name="a")
    next(iter(stream)).next_tick()
    other = LiveStream(batch_size=2)
    other.load_state_dict(stream.state_dict())
    (before,), (after,) = other.tasks, stream.tasks
    assert (before.rounds, after.rounds) == (0, 1)
    assert (before.samples, before.classes) == (after.samples, after.classes)
