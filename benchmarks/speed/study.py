"""A whole study, beside the training of its runs."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .finding import Effort, Finding

__all__ = ["study"]

_WORKERS = 2
# Eight runs with the settings of PS-EMNIST.
_RUNS = {"--methods": "emgd-gmc,avg", "--scenarios": "class,task", "--seeds": "0,1"}
_SETTINGS = {
    "--tasks": "5",
    "--batch-size": "128",
    "--memory-per-class": "5",
    "--learning-rate": "0.003",
}
_CLASSES, _TEST_SHARE = 62, 6


def study(effort: Effort) -> Iterator[Finding]:
    """Time ``avalanche-emgd compare`` from its first import to its last record.

    The data are noise of the shape of EMNIST byclass in a file of arrays: in full 697,932 training
    images, as many as EMNIST has. The shorter runs of the quick mode weigh less beside the imports.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, output = Path(folder) / "noise.npz", Path(folder) / "study"
        _write_noise(file, effort.study_samples)
        words = {**_RUNS, **_SETTINGS, "--workers": str(_WORKERS), "--npz": str(file)}
        options = [word for pair in words.items() for word in pair]
        started = time.time()
        subprocess.run(
            [
                *(sys.executable, "-m", "avalanche_emgd", "compare", *options),
                *("--output", str(output), "--quiet"),
            ],
            check=True,
        )
        whole = time.time() - started
        # Written when the workers are ready.
        ready = (output / "study.yaml").stat().st_mtime - started
        with (output / "results.csv").open(encoding="utf-8", newline="") as lines:
            training = [float(row["seconds"]) for row in csv.DictReader(lines)]
    least = sum(training) / _WORKERS
    what = f"study of {len(training)} runs, noise like EMNIST, {effort.study_samples} images"
    against = f"training of its runs / {_WORKERS} processes"
    detail = (
        f"{whole:.1f} s, of which {ready:.1f} s until workers are ready, training {least:.1f} s"
    )
    yield Finding(what, against, whole / least, 1.3, detail=detail)
    yield Finding(f"{what}, workers ready", against, (whole - ready) / least, 1.3, detail=detail)


def _write_noise(file: Path, samples: int) -> None:
    generator, arrays = np.random.default_rng(0), {}
    for part, size in (("train", samples), ("test", samples // _TEST_SHARE)):
        arrays[f"x_{part}"] = generator.integers(0, 256, (size, 28, 28), dtype=np.uint8)
        arrays[f"y_{part}"] = np.arange(size) % _CLASSES
    np.savez(file, **arrays)
