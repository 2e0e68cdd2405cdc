"""Public entry points that read files of users, each with valid files to begin with."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

from avalanche_emgd import (
    MLP,
    EMGDStrategy,
    load_checkpoint,
    load_model,
    parallel_benchmark_from_arrays,
    parallel_benchmark_from_images,
    parallel_benchmark_from_table,
    ps_digits,
    save_checkpoint,
)
from avalanche_emgd.benchmarks import Protocol
from avalanche_emgd.experiments import RunConfig, StudyConfig, load_records, run
from avalanche_emgd.experiments.predictions import predict_arrays, predict_images
from avalanche_emgd.experiments.records import done_record
from avalanche_emgd.experiments.report import write_report
from avalanche_emgd.experiments.run_file import load_config
from avalanche_emgd.experiments.sweep import SweepConfig

from .bombs import ARRAYS, IMAGES, MODELS, TEXTS
from .mutations import archive_mutated, changed, mutated, value

QUICK = {"num_tasks": 2, "batch_size": 64}


@dataclass(frozen=True)
class Target:
    """An entry point that reads a file.

    :param suffix: end of the file's name.
    :param make: function that draws the content of a hostile file.
    :param read: function that reads the file, and uses what is read.
    """

    suffix: str
    make: Callable[[random.Random], bytes]
    read: Callable[[Path], Any]


STUDY = {
    "methods": ["avg", {"method": "emgd-gmc", "name": "mine", "settings": {"decay": 0.5}}],
    "scenarios": ["task", "class"],
    "seeds": [0, 1],
    "benchmark": "ps-digits",
    "num_tasks": 2,
    "learning_rate": 0.01,
    "optimizer": "adam",
}
SWEEP = {
    "method": "emgd-gmc",
    "search": {"decay": {"low": 0.0, "high": 0.5}, "exponent": {"choices": [1.0, 2.0]}},
    "trials": 3,
    "metric": "A_ebar",
    "num_tasks": 2,
    "seeds": [0],
}
PROTOCOL = {
    "name": "mine",
    "dataset": "digits",
    "num_classes": 10,
    "batch_size": 4,
    "label_sets": [
        {"classes": [[0, 1, 2], [3, 4], [5]], "timelines": [[[0, 9], [5, 14], [12, 20]]]},
        {"classes": [[9], [8, 7]], "timelines": [[[0, 3], [2, 4]], [[0, 3], [4, 8]]]},
    ],
}


def _texts(content: Any, written: bytes | None = None) -> Callable[[random.Random], bytes]:
    """Make a function that mutates a JSON or YAML text, or the values in it."""
    whole = json.dumps(content).encode() if written is None else written

    def make(draw: random.Random) -> bytes:
        if draw.random() < 0.02:
            return draw.choice(TEXTS)
        if draw.random() < 0.5:
            return mutated(whole, draw)
        found = changed(content, draw)
        if draw.random() < 0.2:
            found = changed(found, draw)
        return json.dumps(found).encode(errors="surrogatepass")

    return make


def _archives(whole: bytes, bombs: tuple[bytes, ...] = ()) -> Callable[[random.Random], bytes]:
    def make(draw: random.Random) -> bytes:
        if bombs and draw.random() < 0.02:
            return draw.choice(bombs)
        return (mutated if draw.random() < 0.4 else archive_mutated)(whole, draw)

    return make


def _hostile_tensor(draw: random.Random) -> Any:
    """Draw a plain value or a tensor of another shape or type."""
    if draw.random() < 0.5:
        found = value(draw)
        return found if not isinstance(found, int) or abs(found) < 2**63 else 3
    shape = [draw.choice([0, 1, 2, 7, 64]) for _ in range(draw.randrange(4))]
    kind = draw.choice([torch.float32, torch.int64, torch.uint8, torch.bool, torch.float64])
    return torch.zeros(shape, dtype=kind)


def _strategy() -> tuple[EMGDStrategy, Any]:
    benchmark = ps_digits(num_tasks=2, batch_size=64)
    model = MLP(benchmark.num_classes, in_features=64, hidden=(8,))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    return EMGDStrategy(model, optimizer=optimizer, memory_size=20, evaluator=None), benchmark


class Targets:
    """All entry points, with their files in a folder.

    :param folder: empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run = run(RunConfig(method="avg", **QUICK), folder / "run", progress=False)
        self._strategy, benchmark = _strategy()
        self._strategy.train(benchmark.train_stream[:1])
        for name, content in (
            ("config.json", json.dumps(self._run.config.to_json()).encode()),
            ("study.yaml", yaml.safe_dump(STUDY).encode()),
            ("sweep.yaml", yaml.safe_dump(SWEEP).encode()),
            ("p.json", json.dumps(PROTOCOL).encode()),
            ("t.csv", self._csv()),
            ("a.npz", self._npz()),
        ):
            (folder / name).write_bytes(content)  # for command lines
        self.all = {
            "protocol": Target(".json", _texts(PROTOCOL), Protocol.load),
            "config": Target(".json", _texts(self._run.config.to_json()), load_config),
            "study": Target(
                ".yaml", _texts(STUDY, yaml.safe_dump(STUDY).encode()), StudyConfig.from_yaml
            ),
            "sweep": Target(
                ".yaml", _texts(SWEEP, yaml.safe_dump(SWEEP).encode()), SweepConfig.from_yaml
            ),
            "record": Target(".json", self._records(), self._read_record),
            "npz": Target(".npz", _archives(self._npz(), ARRAYS), parallel_arrays),
            "table": Target(".csv", _bytes(self._csv()), parallel_table),
            "parquet": Target(".parquet", _bytes(self._parquet()), parallel_table),
            "checkpoint": Target(".pt", self._checkpoints(), self._read_checkpoint),
            "model.pt": Target(".pt", self._models(), self._read_model),
            "image": Target(".png", self._images(), self._read_image),
            "samples": Target(".npz", _archives(self._npz(), ARRAYS), self._predict_arrays),
        }

    def _records(self) -> Callable[[random.Random], bytes]:
        record = done_record(self._run.config, self._run)
        record.update(seconds=1.0, ticks_per_second=1.0, peak_memory_mb=1.0)  # always the same
        for kinds in record["trace"].values():  # short files are mutated more thoroughly
            for name, points in kinds.items():
                kinds[name] = points[:3]
        for task in record["tasks"]:
            task["class_names"] = ["a" for _ in task["classes"]]
        return _texts(record)

    def _read_record(self, path: Path) -> None:
        study = path.parent / "study"
        (study / "records").mkdir(parents=True, exist_ok=True)
        (study / "records" / "a.json").write_bytes(path.read_bytes())
        load_records(study)
        if random.Random(path.stat().st_size).random() < 0.1:  # takes a second
            html = write_report(study, output=study / "report")[1].read_text(encoding="utf-8")
            for mark in ("<script", "<img src=x", "</svg><"):
                if mark in html:
                    raise AssertionError(f"{mark} in the report")

    def _npz(self) -> bytes:
        draw, whole = np.random.default_rng(0), io.BytesIO()
        y = np.arange(8) % 4
        x = draw.integers(0, 255, (8, 1, 8, 8), dtype=np.uint8)
        np.savez(whole, x_train=x, y_train=y, x_test=x, y_test=y)
        return whole.getvalue()

    def _csv(self) -> bytes:
        rows = [f"{n},{n * 0.5},{'ab'[n % 2]},{'uv'[n // 4]}" for n in range(8)]
        return ("x,y,kind,task\n" + "\n".join(rows) + "\n").encode()

    def _parquet(self) -> bytes:
        import pandas as pd

        whole = io.BytesIO()
        pd.read_csv(io.BytesIO(self._csv())).to_parquet(whole)
        return whole.getvalue()

    def _checkpoints(self) -> Callable[[random.Random], bytes]:
        path = self.folder / "whole.pt"
        save_checkpoint(path, self._strategy.state_dict())
        whole, state = path.read_bytes(), load_checkpoint(path)
        of_archive = _archives(whole, MODELS)

        def make(draw: random.Random) -> bytes:
            if draw.random() < 0.3:
                return of_archive(draw)
            found = changed(state, draw, _hostile_tensor)
            save_checkpoint(path, found if isinstance(found, dict) else {"a": found})
            return path.read_bytes()

        return make

    def _read_checkpoint(self, path: Path) -> None:
        state = load_checkpoint(path)
        _strategy()[0].load_state_dict(state)

    def _models(self) -> Callable[[random.Random], bytes]:
        whole = (self.folder / "run" / "model.pt").read_bytes()
        content = torch.load(io.BytesIO(whole), weights_only=True)
        of_archive = _archives(whole, MODELS)

        def make(draw: random.Random) -> bytes:
            if draw.random() < 0.3:
                return of_archive(draw)
            found = io.BytesIO()
            torch.save(changed(content, draw, _hostile_tensor), found)
            return found.getvalue()

        return make

    def _read_model(self, path: Path) -> None:
        load_model(path).predict(torch.zeros(2, 1, 8, 8))

    def _images(self) -> Callable[[random.Random], bytes]:
        kinds = []
        for form in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM"):
            whole = io.BytesIO()
            Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(whole, form)
            kinds.append(whole.getvalue())

        def make(draw: random.Random) -> bytes:
            if draw.random() < 0.02:
                return draw.choice(IMAGES)
            return mutated(draw.choice(kinds), draw)

        return make

    def _read_image(self, path: Path) -> None:
        folder = self.folder / "images"
        for part, name in (("train", "a"), ("train", "b"), ("test", "a"), ("test", "b")):
            (folder / part / name).mkdir(parents=True, exist_ok=True)
            (folder / part / name / "x.png").write_bytes(path.read_bytes())
        parallel_benchmark_from_images(folder, num_tasks=2, size=(8, 8))
        trained = load_model(self.folder / "run")
        trained.about["mean"], trained.about["std"] = [0.5], [0.5]
        list(predict_images(trained, folder))

    def _predict_arrays(self, path: Path) -> None:
        list(predict_arrays(load_model(self.folder / "run"), path))


def _bytes(whole: bytes) -> Callable[[random.Random], bytes]:
    return lambda draw: mutated(whole, draw)


def parallel_arrays(path: Path) -> None:
    benchmark = parallel_benchmark_from_arrays(path, num_tasks=2)
    next(iter(benchmark.train_stream[0].dataset))


def parallel_table(path: Path) -> None:
    parallel_benchmark_from_table(path, label_column="kind", task_column="task", test_share=0.5)
