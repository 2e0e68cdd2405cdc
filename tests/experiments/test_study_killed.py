"""Studies whose processes are killed, on clusters of real processes."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from own_methods import QUICK, figures

from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.records import RECORDS, done_record, load_records, record_key
from avalanche_emgd.experiments.run import execute
from avalanche_emgd.experiments.study import run_study
from avalanche_emgd.experiments.study_config import StudyConfig

HERE = Path(__file__).parent
SLOW = StudyConfig(["own_methods:Slow"], seeds=range(6), **QUICK)
COMMAND = (
    *("--methods", "own_methods:Slow", "--seeds", "0,1,2,3,4,5", "--workers", "2"),
    *("--tasks", "2", "--batch-size", "32", "--eval-every", "10"),
)


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def records(output):
    return sorted((output / RECORDS).glob("*.json"))


def processes_of(process):
    return process.children(recursive=True)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Directory of a study whose command was killed in the middle, with all that it had started."""
    output = tmp_path_factory.mktemp("killed") / "study"
    script = "from avalanche_emgd.cli import app; app()"
    command = [sys.executable, "-c", script, "compare", "--output", str(output), *COMMAND]
    # The module of the method is found in the current directory.
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: process.poll() is not None or len(records(output)) >= 2)
        started = processes_of(psutil.Process(process.pid))
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert len(started) >= 2
    wait_for(lambda: not any(p.is_running() and p.status() != "zombie" for p in started))
    return output


def test_a_killed_study_continues_even_if_its_workers_are_killed(interrupted):
    before = {path: (path.read_text(), path.stat().st_mtime_ns) for path in records(interrupted)}
    assert 2 <= len(before) < 6
    assert {record["status"] for record in load_records(interrupted)} == {"done"}
    killed = []

    def kill_workers():
        wait_for(lambda: len(records(interrupted)) > len(before))
        # Workers are children of the process that forks them.
        for child in psutil.Process().children():
            killed.extend(processes_of(child))
        for worker in killed:
            worker.kill()

    killer = threading.Thread(target=kill_workers)
    killer.start()
    table = run_study(SLOW, interrupted, workers=2, progress=False)
    killer.join()
    assert len(killed) >= 2
    assert list(table["status"]) == ["done"] * 6
    assert len(records(interrupted)) == 6
    for path, content in before.items():
        assert (path.read_text(), path.stat().st_mtime_ns) == content


def test_workers_do_what_a_single_run_does(interrupted):
    config = RunConfig(method="own_methods:Slow", seed=0, **QUICK)
    single = execute(config, make_benchmark(config))
    record = load_records(interrupted)[0]
    assert record["seed"] == 0
    assert (interrupted / RECORDS / f"{record_key(config)}.json").exists()
    expected = {"A_e": single.result.A_e, "A_ebar": single.result.A_ebar}
    assert expected.items() <= figures(record).items()


def test_a_run_that_kills_its_workers_has_failed_and_the_others_go_on(tmp_path):
    study = StudyConfig(["own_methods:Deadly", "avg"], **QUICK)
    table = run_study(study, tmp_path, workers=1, progress=False).set_index("method")
    assert table["status"]["avg"] == "done"
    assert table["status"]["own_methods:Deadly"] == "failed"
    assert table["error"]["own_methods:Deadly"].startswith("3 processes died during this run")


def test_a_run_whose_worker_is_killed_continues_from_its_checkpoint(tmp_path):
    mark = tmp_path / "mark"
    method = {"method": "own_methods:DiesOnce", "settings": {"mark": str(mark)}}
    study = StudyConfig([method], checkpoint_every=8, **QUICK)
    table = run_study(study, tmp_path / "study", workers=1, progress=False)
    assert list(table["status"]) == ["done"]
    # The checkpoint was written after ticks 0 to 15, and has the attributes of the strategy.
    assert mark.read_text() == "died and went on after 22 ticks"
    assert list((tmp_path / "study" / "checkpoints").iterdir()) == []
    (record,) = load_records(tmp_path / "study")
    config = RunConfig(**method, **QUICK)
    whole = done_record(config, execute(config, make_benchmark(config)))
    assert figures(json.loads(json.dumps(whole))) == figures(record)
    assert {"tasks", "trace", "A_e", "A_ebar"} <= figures(record).keys()
