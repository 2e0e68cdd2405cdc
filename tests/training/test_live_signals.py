"""Signals while a live stream waits: training stops with a checkpoint, and goes on from it."""

import os
import signal
import threading
import time
from dataclasses import replace

import pytest
import torch

from avalanche_emgd import CheckpointPlugin, load_checkpoint
from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.training import TrainingStopped
from tests.toy import toy_datasets
from tests.training.common import toy_strategy, weights_of


class Stalling:
    """Samples that stop coming, for ever."""

    def __init__(self, samples):
        self.samples = samples

    def __iter__(self):
        yield from self.samples
        threading.Event().wait()  # of a daemon thread


def signalled(stream, ticks):
    """Send a signal when a stream has waited for a moment after some ticks."""
    end = time.monotonic() + PATIENCE
    while stream.tick < ticks and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)


SAMPLES, LATER = map(list, toy_datasets([24, 28]))
ALL_TICKS, PATIENCE = 6, 120.0  # of the second task; seconds
WAITS = {
    "before the first task": ([], 0, []),
    "in the middle of a task": ([Stalling(SAMPLES[:12])], 3, ["second"]),
    "between two tasks": ([SAMPLES], ALL_TICKS, []),
}


@pytest.mark.parametrize("max_wait", [0.0, 600.0])
@pytest.mark.parametrize("when", WAITS)
def test_a_signal_while_a_stream_waits_stops_with_a_checkpoint(when, max_wait, tmp_path):
    def strategy_of(*plugins):
        return toy_strategy(memory_size=6, plugins=list(plugins), engine=PlainEngine())

    # The run that is not interrupted has the second task, and after its end the third.
    whole = LiveStream(batch_size=4, max_wait=600.0)
    whole.add_task(SAMPLES, name="second", classes=range(4))
    expected = strategy_of()
    added = threading.Thread(target=add_third, args=(whole,))
    added.start()
    expected.train(whole)
    added.join()

    data, ticks, active = WAITS[when]
    stream = LiveStream(batch_size=4, max_wait=max_wait)
    checkpoint = CheckpointPlugin(tmp_path / "run.pt")
    for each in data:
        stream.add_task(each, name="second", classes=range(4))
    threading.Thread(target=signalled, args=(stream, ticks), daemon=True).start()
    with pytest.raises(TrainingStopped, match="Checkpoint"), checkpoint.stopping():
        strategy_of(checkpoint).train(stream)
    assert stream.tick == ticks

    resumed, strategy = LiveStream(batch_size=4, max_wait=600.0), strategy_of(checkpoint)
    assert resumed.load_state_dict(load_checkpoint(checkpoint.path)) == active
    assert checkpoint.restore(strategy)
    if ticks < ALL_TICKS:
        resumed.add_task(SAMPLES, name="second", classes=range(4))
    added = threading.Thread(target=add_third, args=(resumed,))
    added.start()
    strategy.train(resumed)
    added.join()
    assert torch.equal(weights_of(strategy.model), weights_of(expected.model))
    assert resumed.tasks == tuple(replace(t, skipped=0) for t in whole.tasks)
    assert (resumed.tick, resumed.num_segments) == (whole.tick, whole.num_segments)


def add_third(stream):
    """Add the third task after the end of the second, and close the stream."""
    end = time.monotonic() + PATIENCE
    while not any(
        t.name == "second" and t.ticks == ALL_TICKS and not t.is_active for t in stream.tasks
    ):
        if time.monotonic() > end:
            stream.stop()
            return
        time.sleep(0.001)
    stream.add_task(LATER, name="third", classes=range(4))
    stream.close()
