"""How often runs test."""

from __future__ import annotations

import pytest

from avalanche_emgd.experiments import RunConfig, make_benchmark, run
from avalanche_emgd.experiments.run import execute

CONFIG = RunConfig(num_tasks=2, method="avg")


def ticks_of(finished):
    """Ticks at which a task was tested."""
    return sorted({done for curve in finished.curves for done, _ in curve})


@pytest.fixture(scope="module")
def of_a_study():
    return execute(CONFIG, make_benchmark(CONFIG))


def test_runs_of_a_study_test_at_the_ends_of_segments(of_a_study):
    ends = [experience.ticks.stop for experience in of_a_study.benchmark.train_stream]
    assert ticks_of(of_a_study) == ends


def test_a_run_by_itself_tests_about_fifty_times(of_a_study, tmp_path):
    by_itself = run(CONFIG, tmp_path, progress=False)
    assert 50 <= len(ticks_of(by_itself)) <= 60
    assert by_itself.result == of_a_study.result


def test_a_run_of_a_study_tests_as_often_as_asked(of_a_study):
    config = RunConfig(num_tasks=2, method="avg", eval_every=40)
    finished = execute(config, make_benchmark(config))
    assert finished.result == of_a_study.result
    last = finished.benchmark.timeline.num_ticks
    assert set(range(40, last + 1, 40)) <= set(ticks_of(finished))
