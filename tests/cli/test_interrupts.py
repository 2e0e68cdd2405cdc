"""Ctrl-C and SIGTERM in commands that are processes: one line, and nothing half-written."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from avalanche_emgd.__main__ import main
from avalanche_emgd.cli import app
from avalanche_emgd.cli.interrupts import Ended, raised_on_signals, status_of

HERE = Path(__file__).parent.parent / "experiments"  # with methods that take their time
QUICK = ("--tasks", "2", "--batch-size", "32")
STUDY = ("--methods", "own_methods:Slow", "--seeds", "0,1,2,3,4,5", "--workers", "2", *QUICK)
SWEEP = """
method: emgd-gmc
search:
  decay: {low: 0, high: 0.5}
trials: 50
num_tasks: 2
"""


class Fork:
    """A command in a copy of this process, which has imported everything, as a ``Popen``."""

    def __init__(self, words, errors):
        self.errors, self.returncode = errors, None
        self.pid = os.fork()
        if not self.pid:
            self._run(words)

    def _run(self, words):
        status = 1
        try:
            os.setsid()
            os.chdir(HERE)
            sys.stdout, sys.stderr = open(os.devnull, "w"), self.errors.open("w")  # noqa: SIM115
            sys.argv = ["avalanche-emgd", *map(str, words)]
            main()
        except SystemExit as error:
            status = error.code
        finally:
            sys.stderr.flush()
            os._exit(status)

    def poll(self):
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def communicate(self, timeout):
        end = time.monotonic() + timeout
        while self.poll() is None:
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.02)
        return "", self.errors.read_text()


def interpreter(words):
    """Start a command in a new interpreter."""
    return subprocess.Popen(
        [sys.executable, "-m", "avalanche_emgd", *map(str, words)],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupted(words, until, numbers, timeout=240, start=interpreter):
    """Start a command, signal its process group as a terminal does, and return what is left."""
    process = start(words)
    try:
        end = time.monotonic() + timeout
        while process.poll() is None and not until():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.02)
        for number in numbers:
            if number == signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            time.sleep(0.3)
        _, errors = process.communicate(timeout=timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, errors


def check(found, status, words):
    assert found[0] == status, found[1]
    assert words in found[1]
    assert found[1].count("\n") == 1
    assert found[1].startswith("Interrupted.")


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM]
)
def test_train_names_its_checkpoint(number, tmp_path):
    output = tmp_path / "run"
    path = output / "checkpoint.pt"
    words = ("train", "--output", output, "--checkpoint-every", 1, "--epochs", 500, *QUICK)
    start = interpreter if number == signal.SIGINT else partial(Fork, errors=tmp_path / "errors")
    found = interrupted(words, path.exists, [number], start=start)
    check(found, 128 + number, f"Checkpoint: {path}")
    assert not (output / ".lock").exists()
    assert not (output / "metrics.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_compare_keeps_finished_runs(number, tmp_path):
    output = tmp_path / "study"
    found = interrupted(
        ("compare", "--output", output, *STUDY),
        lambda: len(list((output / "records").glob("*.json"))) >= 2,
        [number],
    )
    check(found, 128 + number, "Finished runs are kept.")
    assert {path.suffix for path in (output / "records").iterdir()} == {".json"}
    assert (output / "results.csv").is_file()
    assert not (output / ".lock").exists()


@pytest.mark.slow
def test_sweep_keeps_finished_runs(tmp_path):
    output = tmp_path / "sweep"
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    words = ("sweep", "--config", tmp_path / "sweep.yaml", "--output", output)
    found = interrupted(words, lambda: any(output.glob("trials/0001/study.yaml")), [signal.SIGINT])
    check(found, 130, "Finished runs are kept.")
    assert not any(output.glob("**/.lock"))


@pytest.mark.slow
def test_demo_leaves_nothing(tmp_path):
    output = tmp_path / "demo"
    words = ("demo", "--output", output)
    found = interrupted(words, lambda: any(output.glob("*/*/metrics.json")), [signal.SIGINT])
    check(found, 130, "Interrupted.")
    assert not output.exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "compare", "demo"])
def test_a_second_signal_changes_nothing(command, tmp_path):
    output = tmp_path / "run"
    more = {"train": QUICK, "compare": STUDY, "demo": ()}[command]
    words = (command, "--output", output, *more)
    status, errors = interrupted(words, lambda: (output / ".lock").exists(), [signal.SIGINT] * 2)
    # The second one may come when Python is about to end, and has no handlers any more.
    check((130 if status == -signal.SIGINT else status, errors), 130, "Interrupted.")
    assert not (output / ".lock").exists()


PLACES = {
    "train": ("avalanche_emgd.experiments", "run", ("--output", "run")),
    "compare": ("avalanche_emgd.experiments.study", "run_study", ("--methods", "avg")),
    "sweep": ("avalanche_emgd.experiments.sweep", "run_sweep", ("--config", "sweep.yaml")),
    "demo": ("avalanche_emgd.experiments.demo", "run_demo", ()),
    "report": ("avalanche_emgd.experiments.report", "write_report", ()),
    "predict": ("avalanche_emgd.experiments.trained_model", "load_model", ("--npz", "a.npz")),
    "timeline": ("avalanche_emgd.cli.runs", "save_timeline", ("--output", "t.png")),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", PLACES)
def test_a_signal_in_the_work_of_a_command_is_one_line(command, number, tmp_path, monkeypatch):
    module, function, words = PLACES[command]

    def work(*arguments, **options):
        signal.raise_signal(number)

    monkeypatch.setattr(import_module(module), function, work)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    (tmp_path / "study" / "records").mkdir(parents=True)
    arguments = ["study"] if command in ("report", "predict") else []
    if command in ("compare", "sweep", "demo"):
        arguments = ["--output", "run"]
    found = CliRunner().invoke(app, [command, *arguments, *words])
    assert found.exit_code == 128 + number
    check((found.exit_code, found.output), 128 + number, "")
    kept = "Finished runs are kept." in found.output
    assert kept == (command in ("compare", "sweep"))


def test_train_names_an_earlier_checkpoint(tmp_path, monkeypatch):
    """Also if the signal comes before training has begun, or is the second one."""
    (tmp_path / "checkpoint.pt").touch()
    (tmp_path / "config.json").write_text("{}")

    def work(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("avalanche_emgd.experiments"), "run", work)
    found = CliRunner().invoke(app, ["train", "--output", str(tmp_path), "--resume"])
    check((found.exit_code, found.output), 130, f"Checkpoint: {tmp_path / 'checkpoint.pt'}")


def test_an_interrupt_during_imports_is_one_line(monkeypatch, capsys):
    def finder(name, *arguments):
        raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "avalanche_emgd.cli")
    monkeypatch.setattr("builtins.__import__", finder)
    with pytest.raises(SystemExit) as caught:
        main()
    monkeypatch.undo()
    assert caught.value.code == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_signals_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with raised_on_signals():
            signal.raise_signal(signal.SIGHUP)
            with pytest.raises(Ended) as caught:
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
    assert status_of(caught.value) == 143
    assert status_of(KeyboardInterrupt()) == 130


def test_processes_of_torchrun_keep_their_handlers(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with raised_on_signals():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
