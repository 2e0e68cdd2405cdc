"""Runs of experiments on several processes, with their files."""

import os
import signal
import unittest.mock

from avalanche_emgd.experiments import RunConfig, run
from avalanche_emgd.experiments.trace import WeightTrace
from avalanche_emgd.training import TrainingStopped


def run_method(output, stops_at=None, resume=False):
    """Run emgd++ with its files; a signal to the last process may stop it at a tick."""
    before, last = WeightTrace.after_weighting, int(os.environ.get("WORLD_SIZE", "1")) - 1

    def after_weighting(self, strategy, *args, **kwargs):
        if strategy.tick == stops_at and int(os.environ.get("RANK", "0")) == last:
            os.kill(os.getpid(), signal.SIGTERM)
        before(self, strategy, *args, **kwargs)

    config = RunConfig(
        method="emgd++", num_tasks=2, batch_size=32, eval_every=10, memory_per_class=2
    )
    try:
        with unittest.mock.patch.object(WeightTrace, "after_weighting", after_weighting):
            run(config, output, progress=False, on_signals=True, resume=resume)
    except TrainingStopped:
        return "stopped"
    return "finished"


def run_differently(output):
    """Run with another seed on each process; return the error."""
    try:
        run(RunConfig(seed=int(os.environ["RANK"])), output, progress=False)
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"
