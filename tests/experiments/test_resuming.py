"""Runs that are interrupted and continue: the same results as without an interruption."""

import json
import os
import signal

import pytest
import torch

from avalanche_emgd.experiments import RunConfig, run
from avalanche_emgd.experiments.resuming import CHECKPOINT
from avalanche_emgd.experiments.trace import WeightTrace
from avalanche_emgd.training import TrainingStopped
from tests.command_line import call

pytestmark = pytest.mark.usefixtures("undrawn")

QUICK = {"num_tasks": 2, "batch_size": 32, "eval_every": 10, "memory_per_class": 2}
OPTIONS = ["--tasks", "2", "--batch-size", "32", "--eval-every", "10", "--memory-per-class", "2"]
COSTS = ("seconds", "ticks_per_second", "peak_memory_mb")


def signal_at(monkeypatch, tick, kind=signal.SIGINT, error=None):
    """Signal this process, or raise an error, in the middle of a tick."""
    before = WeightTrace.after_weighting

    def after_weighting(self, strategy, *args, **kwargs):
        if strategy.tick == tick:
            if error is not None:
                raise error
            os.kill(os.getpid(), kind)
        before(self, strategy, *args, **kwargs)

    monkeypatch.setattr(WeightTrace, "after_weighting", after_weighting)


def results(output):
    metrics = json.loads((output / "metrics.json").read_text())
    found = {name: value for name, value in metrics.items() if name not in COSTS}
    for name in ("curves.json", "trace.json"):
        found[name] = (output / name).read_text()
    state = torch.load(output / "model.pt", weights_only=True)["state"]
    found["weights"] = {name: value.tolist() for name, value in state.items()}
    return found


@pytest.mark.parametrize(
    ("method", "settings"),
    [("emgd++", {}), ("emgd-gmc", {"memory_editing": "distance"}), ("icarl", {}), ("joint", {})],
)
def test_an_interrupted_run_has_the_results_of_a_whole_one(method, settings, tmp_path, monkeypatch):
    config = RunConfig(method=method, settings=settings, **QUICK)
    run(config, tmp_path / "whole", progress=False)
    cut = tmp_path / "cut"
    with monkeypatch.context() as patch:
        signal_at(patch, 17)
        with pytest.raises(TrainingStopped):
            run(config, cut, progress=False, on_signals=True)
    assert {each.name for each in cut.iterdir()} >= {"config.json", CHECKPOINT}
    run(config, cut, resume=True, progress=True)
    assert results(cut) == results(tmp_path / "whole")
    assert {each.name for each in cut.iterdir()} == {e.name for e in (tmp_path / "whole").iterdir()}


def test_checkpoints_stay_after_a_failure_and_at_the_end_if_asked_for(tmp_path, monkeypatch):
    config = RunConfig(method="emgd-gmc", **QUICK)
    with monkeypatch.context() as patch:
        signal_at(patch, 17, error=ArithmeticError("it broke"))
        with pytest.raises(ArithmeticError):
            run(config, tmp_path / "a", progress=False)
        assert not (tmp_path / "a").exists()
        with pytest.raises(ArithmeticError):
            run(config, tmp_path / "b", progress=False, checkpoint_every=5)
    assert (tmp_path / "b" / CHECKPOINT).is_file()
    run(config, tmp_path / "b", progress=False, checkpoint_every=5, resume=True)
    assert (tmp_path / "b" / CHECKPOINT).is_file()
    run(config, tmp_path / "c", progress=False)
    assert results(tmp_path / "b") == results(tmp_path / "c")


def test_on_the_command_line(tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert call("train", "--output", whole, "--quiet", *OPTIONS).exit_code == 0
    with monkeypatch.context() as patch:
        signal_at(patch, 17, signal.SIGTERM)
        found = call("train", "--output", cut, "--quiet", *OPTIONS)
    assert found.exit_code == 128 + signal.SIGTERM
    lines = found.stderr.strip().splitlines()
    assert len(lines) == 1
    assert str(cut / CHECKPOINT) in lines[0]
    assert "--resume" in lines[0]
    for words, said in (
        (["--seed", "3"], "`--seed` is 3, but 0 in the run to resume"),
        (["--overwrite"], "`--resume` continues the run in `--output`: leave `--overwrite` out."),
    ):
        refused = call("train", "--output", cut, "--resume", "--quiet", *words)
        assert refused.exit_code == 2
        assert said in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1
    good = (cut / CHECKPOINT).read_bytes()
    (cut / CHECKPOINT).write_bytes(good[:-2000])
    refused = call("train", "--output", cut, "--resume", "--quiet")
    assert refused.exit_code == 2
    assert "damaged" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    (cut / CHECKPOINT).write_bytes(good)
    assert call("train", "--output", cut, "--resume", "--quiet", "--tasks", "2").exit_code == 0
    assert results(cut) == results(whole)
    refused = call("train", "--output", cut, "--resume", "--quiet")
    assert refused.exit_code == 2
    assert "finished" in refused.stderr


def test_resume_begins_a_run_where_there_is_none(tmp_path):
    found = call("train", "--output", tmp_path / "a", "--resume", "--quiet", *OPTIONS)
    assert found.exit_code == 0
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_text("")
    found = call("train", "--output", tmp_path / "b", "--resume", "--quiet", *OPTIONS)
    assert found.exit_code == 2
    assert "is not empty" in found.stderr


def test_a_checkpoint_of_another_method_is_one_line(tmp_path, monkeypatch):
    for name in ("emgd-gmc", "avg"):
        with monkeypatch.context() as patch:
            signal_at(patch, 5)
            call("train", "--method", name, "--output", tmp_path / name, *OPTIONS)
    (tmp_path / "avg" / CHECKPOINT).replace(tmp_path / "emgd-gmc" / CHECKPOINT)
    found = call("train", "--output", tmp_path / "emgd-gmc", "--resume", "--quiet")
    assert found.exit_code == 2
    assert found.stderr.count("\n") == 1
    assert "is of a AvgGradStrategy" in found.stderr
