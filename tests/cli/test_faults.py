"""Disks that are full, and files and folders that vanish in the middle of a run: one line."""

import errno
import os
import shutil
from importlib import import_module

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from avalanche_emgd._atomic import NotWrittenError
from avalanche_emgd.benchmarks import image_files
from avalanche_emgd.cli import app
from avalanche_emgd.experiments import RunConfig
from avalanche_emgd.experiments.scheduling import perform
from avalanche_emgd.experiments.trace import WeightTrace
from avalanche_emgd.training.state import load_checkpoint

pytestmark = pytest.mark.usefixtures("undrawn")

QUICK = ("--tasks", "2", "--batch-size", "32", "--eval-every", "50", "--quiet")


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def check(found, words, status=2):
    assert found.exit_code == status, found.output
    assert words in found.output
    assert found.output.count("\n") == 1
    assert found.output.startswith("Error: ")


@pytest.fixture
def at_tick(monkeypatch):
    """Call a function once, in the middle of a tick."""

    def install(tick, function):
        before, done = WeightTrace.after_weighting, []

        def after_weighting(self, strategy, *args, **kwargs):
            if strategy.tick == tick and not done:
                done.append(tick)
                function()
            before(self, strategy, *args, **kwargs)

        monkeypatch.setattr(WeightTrace, "after_weighting", after_weighting)

    return install


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path, at_tick):
    output = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        at_tick(15, lambda: patch.setattr(os, "fsync", full))
        found = call("train", "--output", output, *QUICK, "--checkpoint-every", 10)
    check(found, "cannot be written: No space left on device.")
    assert load_checkpoint(output / "checkpoint.pt")["position"]["current"] is not None
    assert not any(path.name.startswith(".checkpoint") for path in output.iterdir())
    assert not (output / ".lock").exists()
    assert call("train", "--output", output, "--resume", "--quiet").exit_code == 0
    assert (output / "metrics.json").is_file()


def test_a_full_disk_at_the_end_leaves_nothing(tmp_path, at_tick):
    with pytest.MonkeyPatch.context() as patch:
        at_tick(15, lambda: patch.setattr(os, "fsync", full))
        found = call("train", "--output", tmp_path / "run", *QUICK)
    check(found, "cannot be written: No space left on device.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [(), ("--checkpoint-every", 10)])
def test_an_output_that_vanishes_is_one_line(more, tmp_path, at_tick, capfd):
    output = tmp_path / "run"
    at_tick(15, lambda: shutil.rmtree(output))
    check(call("train", "--output", output, *QUICK, *more), ": No such file or directory.")
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""  # of the thread that writes for TensorBoard


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Images that are decoded at each loading."""
    monkeypatch.setattr(image_files, "fits_in_memory", lambda *arguments: False)
    folder = tmp_path / "images"
    for part in ("train", "test"):
        for label in "ab":
            (folder / part / label).mkdir(parents=True)
            for number in range(8):
                pixels = np.full((8, 8, 3), 10 * number, dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / label / f"{number}.png")
    return folder


def truncate(folder):
    for path in folder.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:40])


@pytest.mark.parametrize("damage", [shutil.rmtree, truncate])
def test_images_that_vanish_or_are_cut_are_one_line(damage, images, tmp_path, at_tick):
    at_tick(1, lambda: damage(images))
    words = ("--images", images, "--tasks", 2, "--batch-size", 2, "--model", "mlp", "--quiet")
    check(call("train", "--output", tmp_path / "run", *words), "The image '")
    assert not (tmp_path / "run").exists()


def test_a_run_of_a_study_fails_by_itself(images, at_tick):
    at_tick(1, lambda: shutil.rmtree(images))
    own = {"benchmark": "images", "data_root": str(images), "model": "mlp"}
    record = perform(RunConfig(**own, num_tasks=2, batch_size=2, method="emgd-gmc"))
    assert record["status"] == "failed"
    assert "The image '" in record["error"]


def test_a_full_disk_is_no_failed_trial(tmp_path, monkeypatch):
    def run_study(*arguments, **options):
        raise NotWrittenError("'x' cannot be written: No space left on device.")

    monkeypatch.setattr(
        import_module("avalanche_emgd.experiments.sweep.search"), "run_study", run_study
    )
    (tmp_path / "s.yaml").write_text("method: emgd-gmc\nsearch:\n  decay: {low: 0, high: 0.5}\n")
    found = call("sweep", "--config", tmp_path / "s.yaml", "--output", tmp_path / "out")
    check(found, "No space left on device.")
    assert not (tmp_path / "out" / "trials.csv").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "`--output` 'run' cannot be written into: No space left on device."),
        (errno.EIO, "A file cannot be read or written: Input/output error."),
    ],
)
def test_an_error_of_an_open_file_is_a_sentence(number, words, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(import_module("avalanche_emgd.experiments"), "run", fail)
    check(call("train", "--output", "run", "--tasks", 2), words)
