import time
from contextlib import suppress
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from avalanche_emgd.experiments.config import RunConfig, make_benchmark
from avalanche_emgd.experiments.resources import PeakMemory, threads_of_torch
from avalanche_emgd.experiments.run import execute
from avalanche_emgd.experiments.scheduling import perform

SHORT = RunConfig(num_tasks=2, batch_size=16, eval_every=10**6)


@pytest.fixture
def threads():
    """Whatever a test does to their number does not outlive it."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_number_of_threads_is_that_of_the_configuration(threads):
    """On the command line and in a study, whatever the process had."""
    traces = []
    for ambient in (1, 2):
        torch.set_num_threads(ambient)
        traces.append(execute(SHORT, make_benchmark(SHORT)).trace)
        assert torch.get_num_threads() == ambient
        record = perform(SHORT)
        assert record["status"] == "done", record["error"]
        assert record["config"]["threads"] == 1
        traces.append(record["trace"])
    assert all(trace == traces[0] for trace in traces)


@pytest.mark.parametrize("number", [1, 2])
def test_threads_are_set_while_a_run_is_in_work(number, threads):
    seen = []
    with patch("avalanche_emgd.experiments.run.make_strategy") as make:
        make.side_effect = lambda *_: seen.append(torch.get_num_threads()) or 1 / 0
        with pytest.raises(ZeroDivisionError):
            execute(replace(SHORT, threads=number), make_benchmark(SHORT))
    assert seen == [number]


def test_the_number_of_threads_is_restored_after_an_error(threads):
    torch.set_num_threads(1)
    seen = []
    with suppress(ArithmeticError), threads_of_torch(2):
        seen.append(torch.get_num_threads())
        raise ArithmeticError
    assert [*seen, torch.get_num_threads()] == [2, 1]


def test_peak_memory_has_what_was_held_for_a_while():
    with PeakMemory("cpu") as memory:
        end = time.monotonic() + 20.0
        while not memory.megabytes and time.monotonic() < end:
            time.sleep(0.001)
        before = memory.megabytes
        held = np.ones(25_000_000)  # 200 megabytes, every page of which is written
        while memory.megabytes < before + 150.0 and time.monotonic() < end:
            time.sleep(0.005)
        del held
    peak = memory.megabytes
    assert peak >= before + 150.0
    assert memory.megabytes == peak  # nothing is measured after the end
