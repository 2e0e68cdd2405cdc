"""A finished run: its figures of merit and curves, and the files that have them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ..benchmarks import ParallelBenchmark
from ..evaluation import PCLResult
from ..evaluation.editing import are_images
from ..training.plugins import MemoryEditingPlugin
from .config import RunConfig
from .json_files import write_json
from .picture_files import save_picture
from .pictures import Curves, draw_curves, draw_edits
from .resuming import CHECKPOINT, CONFIG
from .trace import Trace
from .trained_model import MODEL, save_model

__all__ = ["WRITTEN", "Run", "write_run"]

WRITTEN = (
    CONFIG,
    CHECKPOINT,
    MODEL,
    "metrics.json",
    "curves.json",
    "trace.json",
    "editing.json",
    "timeline.png",
    "curves.png",
    "edits.png",
    "tensorboard",
)
"""Names of the files and folders that a run writes."""


@dataclass(frozen=True)
class Run:
    """A finished run.

    :param config: configuration of the run.
    :param benchmark: benchmark with the streams of the run.
    :param result: figures of merit, as fractions.
    :param curves: accuracy of each task, (ticks done, accuracy) at each test.
    :param trace: weights and elastic factors over ticks, for strategies that have them.
    :param seconds: seconds of training, without the tests.
    :param ticks_per_second: updates per second of training, without the tests.
    :param peak_memory_mb: peak memory in units of 10⁶ bytes, see
        ``avalanche_emgd.experiments.resources.PeakMemory``.
    :param editing: plugin that has edited the memory; ``None`` without editing.
    :param model: model that tests use.
    """

    config: RunConfig
    benchmark: ParallelBenchmark
    result: PCLResult
    curves: Curves
    trace: Trace
    seconds: float
    ticks_per_second: float
    peak_memory_mb: float
    editing: MemoryEditingPlugin | None = None
    model: nn.Module | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the figures of merit as fractions, in all and by task, with time and memory."""
        benchmark, result = self.benchmark, self.result
        return {
            "A_e": result.A_e,
            "A_ebar": result.A_ebar,
            "F_ebar": result.F_ebar,
            "tasks": [self._task(task) for task in range(len(benchmark.task_names))],
            "trace": self.trace,
            "editing": [] if self.editing is None else list(map(asdict, self.editing.history)),
            "ticks": benchmark.timeline.num_ticks,
            "seconds": self.seconds,
            "ticks_per_second": self.ticks_per_second,
            "peak_memory_mb": self.peak_memory_mb,
        }

    def _task(self, task: int) -> dict[str, Any]:
        names = self.class_names(task)
        return {
            "name": self.benchmark.task_names[task],
            "classes": list(self.benchmark.label_sets[task]),
            **({"class_names": names} if names else {}),
            "span": list(self.benchmark.timeline.spans[task]),
            "at_end": self.result.at_end[task],
            "final": self.result.final[task],
            "curve": [list(point) for point in self.curves[task]],
        }

    def class_names(self, task: int) -> list[str]:
        """Return the names of a task's classes; an empty list if they are its labels."""
        labels = self.benchmark.label_sets[task]
        names = [self.benchmark.class_names[label] for label in labels]
        return [] if names == list(map(str, labels)) else names


def write_run(finished: Run, output: Path) -> None:
    """Write the figures of merit into one file, values to plot into others, and pictures.

    :param finished: the run.
    :param output: path of its directory.
    """
    found, curves = finished.to_json(), {}
    for task in found["tasks"]:
        curves[task["name"]] = task.pop("curve")
    for name, content in (
        ("curves", curves),
        ("trace", found.pop("trace")),
        ("editing", found.pop("editing")),
    ):
        if content:
            write_json(output / f"{name}.json", content, indent=None)
    if finished.model is not None:
        save_model(output / MODEL, finished.model, finished.config, finished.benchmark)
    picture = draw_curves(finished.benchmark, {finished.config.label: finished.curves})
    save_picture(picture, output / "curves.png")
    editing = finished.editing
    if editing is not None and len(editing.memory) and are_images(editing.memory.inputs):
        edits = draw_edits(editing.originals, editing.memory.inputs)
        save_picture(edits, output / "edits.png")
    write_json(output / "metrics.json", found)  # last: it says that the run is finished
