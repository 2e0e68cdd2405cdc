"""Runs that are killed at random moments, also while they write, and resumed.

``python -m benchmarks.faults.kill`` is the long version.
"""

import random
from dataclasses import replace

import pytest

from avalanche_emgd.training.methods import METHODS
from benchmarks.faults.kill import killed, small_run

EDITED = {"memory_editing": "distance"}


@pytest.mark.parametrize(("method", "settings"), [("emgd++", EDITED), ("icarl", {})])
def test_a_killed_run_equals_one_that_was_never_killed(method, settings, tmp_path):
    config = replace(small_run(method, settings), num_tasks=2, batch_size=32)  # about 60 ticks
    found = killed(config, 3, random.Random(1), tmp_path)
    assert found.kills == 3
    assert found.resumed
    assert found.equal


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_method(method, tmp_path):
    found = killed(small_run(method), 10, random.Random(2), tmp_path)
    assert found.kills
    assert found.equal
