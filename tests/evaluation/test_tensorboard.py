"""Times at which numbers reach TensorBoard."""

import gc
import pickle

import pytest
from avalanche.evaluation.metric_results import MetricValue
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from avalanche_emgd.evaluation import BatchedTensorboardLogger, tensorboard


def number(step):
    return [MetricValue(None, "Loss/red", step / 8.0, step), MetricValue(None, "Norm", 1.0, step)]


def written(directory, tag="Loss/red"):
    events = EventAccumulator(str(directory), size_guidance={"scalars": 0})
    events.Reload()
    return events.Scalars(tag) if tag in events.Tags()["scalars"] else []


@pytest.fixture
def clock(monkeypatch):
    """A clock with a time that the test sets."""
    now = [1000.0]
    monkeypatch.setattr(tensorboard.time, "time", lambda: now[0])
    return now


def test_numbers_are_passed_on_once_a_second_with_their_own_time(tmp_path, clock, monkeypatch):
    logger = BatchedTensorboardLogger(tmp_path)
    handed = []
    events = logger.writer._get_file_writer()
    add = events.add_summary
    monkeypatch.setattr(
        events, "add_summary", lambda *args: (handed.append(args[1]), add(*args))[0]
    )
    for step in range(10):
        logger.log_metrics(number(step))
        clock[0] += 0.25
        assert handed == ([] if step < 5 else list(range(6)))
    logger.writer.close()
    found = written(tmp_path)
    assert [e.step for e in found] == list(range(10))
    assert [e.wall_time for e in found] == [1000.0 + 0.25 * step for step in range(10)]
    assert [e.value for e in found] == [step / 8.0 for step in range(10)]


@pytest.mark.parametrize("how", ["flush", "gone", "pickled"])
def test_waiting_numbers_are_not_lost(tmp_path, clock, how):
    logger = BatchedTensorboardLogger(tmp_path)
    logger.log_metrics(number(3))
    assert written(tmp_path) == []
    if how == "flush":
        logger.writer.flush()
    elif how == "gone":
        del logger
        gc.collect()
    else:
        another = pickle.loads(pickle.dumps(logger))
        another.log_metrics(number(4))
        another.writer.flush()
        logger.writer.flush()
    assert [e.step for e in written(tmp_path)] == ([3, 4] if how == "pickled" else [3])
