"""Lines about the progress of a study, where the output is no terminal."""

import pytest

from avalanche_emgd.experiments import study_progress
from avalanche_emgd.experiments.study_progress import StudyProgress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets."""
    now = [0.0]
    monkeypatch.setattr(study_progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_count_runs_and_estimate_the_time_left(clock, capsys):
    with StudyProgress(10, 3, 1, show=True) as progress:
        clock[0] = 100.0  # before the first run, which does not count
        progress.stage("connecting")
        progress.start("here")
        for failed, seconds in ((False, 20.0), (True, 40.0)):
            clock[0] = 100.0 + seconds
            progress.finished(failed=failed)
            progress.note()
    assert capsys.readouterr().out.splitlines() == [
        "3 done, 1 failed, 6 left, 0:00:00 so far",
        "4 done, 1 failed, 5 left, 0:00:20 so far, about 0:01:40 to go",
        "4 done, 2 failed, 4 left, 0:00:40 so far, about 0:01:20 to go",
    ]


def test_after_the_last_run_nothing_is_left(clock, capsys):
    with StudyProgress(1, 0, 0, show=True) as progress:
        progress.start("here")
        progress.finished(failed=False)
        progress.note()
    assert capsys.readouterr().out.splitlines()[-1] == "1 done, 0 failed, 0 left, 0:00:00 so far"


def test_nothing_is_printed_unless_wanted(clock, capsys):
    with StudyProgress(1, 0, 0, show=False) as progress:
        progress.start("here")
        progress.finished(failed=True)
        progress.note()
    assert capsys.readouterr() == ("", "")
