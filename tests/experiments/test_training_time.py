import pytest

from avalanche_emgd.experiments import training_time
from avalanche_emgd.experiments.training_time import TrainingTime


def test_seconds_of_all_parts_are_added(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(training_time.time, "perf_counter", lambda: now[0])
    first = TrainingTime()
    now[0] += 5.0
    assert first.seconds == 5.0
    first.start()  # what came before does not count
    now[0] += 2.0
    state = first.state_dict()
    now[0] = 7.0  # another process, whose clock has another origin
    second = TrainingTime()
    now[0] += 50.0  # the data are loaded
    second.load_state_dict(state)
    now[0] += 3.0
    assert second.seconds == pytest.approx(2.0 + 3.0)
