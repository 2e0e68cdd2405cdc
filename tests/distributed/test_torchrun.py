"""Runs of the command line on several processes, under ``torchrun`` and without it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from avalanche_emgd import load_checkpoint
from avalanche_emgd.cli import app
from avalanche_emgd.experiments import RunConfig, run
from avalanche_emgd.experiments.resuming import CHECKPOINT
from tests.distributed import experiments
from tests.distributed.pool import one_thread

QUICK = {"num_tasks": 2, "batch_size": 32, "eval_every": 10, "memory_per_class": 2}
OPTIONS = ("--tasks", "2", "--batch-size", "32", "--eval-every", "10", "--memory-per-class", "2")
_PATIENCE = 300.0  # seconds, on a machine that is busy
_ROOT = Path(__file__).parents[2]


def torchrun(*arguments, processes=2):
    path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
        + [str(each) for each in (processes, *arguments)],
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        check=False,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Results of a run of one process."""
    output = tmp_path_factory.mktemp("one") / "whole"
    with one_thread():
        run(RunConfig(method="emgd++", **QUICK), output, progress=False)
    return results(output)


def results(output):
    metrics = json.loads((output / "metrics.json").read_text())
    curves = json.loads((output / "curves.json").read_text())
    state = torch.load(output / "model.pt", weights_only=True)["state"]
    weights = torch.cat([each.flatten() for each in state.values()])
    return {
        "figures": [metrics[name] for name in ("A_e", "A_ebar", "F_ebar", "ticks")],
        "curves": [point for name in sorted(curves) for pair in curves[name] for point in pair],
        "weights": weights.double(),
    }


def assert_same(found, expected):
    """Compare runs that differ by rounding; Adam may multiply it where gradients vanish."""
    assert found["figures"] == pytest.approx(expected["figures"])
    assert found["curves"] == pytest.approx(expected["curves"])
    difference = (found["weights"] - expected["weights"]).norm() / expected["weights"].norm()
    assert float(difference) < 1e-4


def test_train_writes_once_what_one_process_writes(whole, tmp_path):
    output = tmp_path / "run"
    command = ("-m", "avalanche_emgd", "train", "--method", "emgd++", *OPTIONS, "--output", output)
    finished = torchrun(*command, "--checkpoint-every", "20")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("Results, pictures and TensorBoard files") == 1
    assert_same(results(output), whole)
    assert {each.name for each in output.iterdir()} == {
        *("config.json", "metrics.json", "curves.json", "trace.json", "timeline.png"),
        *("curves.png", "model.pt", CHECKPOINT, "tensorboard"),
    }
    assert len(list((output / "tensorboard").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("way", "then"), [("SIGTERM", 3), ("SIGKILL", 1)])
def test_a_run_that_torchrun_has_lost_continues(whole, tmp_path, way, then):
    output = tmp_path / "run"
    command = ("train", "--method", "emgd++", *OPTIONS, "--output", output)
    ended = torchrun(
        *("-m", "tests.distributed.ending", way, 17, *command, "--checkpoint-every", "10")
    )
    assert ended.returncode != 0
    if way == "SIGTERM":
        assert f"Interrupted. Checkpoint: {output / CHECKPOINT}" in ended.stderr
    else:
        words = "ProcessError: process 1 has ended, or hangs, without a message"
        assert words in ended.stderr
    clock = load_checkpoint(output / CHECKPOINT)["plugins"]["Clock 1"]["attributes"]
    assert clock["train_iterations"] in ((18, 19) if way == "SIGTERM" else (10,))
    command = ("-m", "avalanche_emgd", "train", "--output", output, "--resume")
    finished = torchrun(*command, processes=then)
    assert finished.returncode == 0, finished.stderr
    assert_same(results(output), whole)


@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 1), (2, 2)])
def test_an_interrupted_run_continues_in_another_number(pool, whole, tmp_path, first, then):
    def start(processes, **options):
        if processes > 1:
            return pool.run("2", experiments.run_method, output=tmp_path / "run", **options)
        with one_thread():
            return [experiments.run_method(tmp_path / "run", **options)]

    assert start(first, stops_at=17) == ["stopped"] * first
    assert {each.name for each in (tmp_path / "run").iterdir()} >= {"config.json", CHECKPOINT}
    assert start(then, resume=True) == ["finished"] * then
    assert_same(results(tmp_path / "run"), whole)
    assert not (tmp_path / "run" / CHECKPOINT).exists()


def test_processes_with_other_configurations_are_an_error(pool, tmp_path):
    for error in pool.run("2", experiments.run_differently, output=tmp_path / "run"):
        assert "ProcessError: processes 0 and 1 have different configurations" in error


@pytest.mark.parametrize("command", ["compare", "predict", "sweep", "demo"])
def test_other_commands_refuse_several_processes(command, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit) as ended:
        app([command, "--output", "unused"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"Error: {command} is for one process: leave out torchrun.\n"
