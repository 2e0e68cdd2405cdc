"""One training run, from its configuration to files one can look at."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from avalanche.core import BasePlugin
from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.templates import SupervisedTemplate

from ..benchmarks import ParallelBenchmark
from ..evaluation import (
    BatchedTensorboardLogger,
    PCLMetrics,
    PCLResult,
    editing_diagnostics,
    gradient_diagnostics,
)
from ..models import make_model
from ..training import MultiGradientTemplate
from ..training.methods import make_method
from ..training.plugins import AugmentationPlugin, MemoryEditingPlugin
from .atomic import replacing
from .config import RunConfig, make_benchmark
from .data import DATA
from .pictures import Curves, draw_curves, draw_edits
from .progress import TickProgress
from .resources import PeakMemory
from .trace import Trace, WeightTrace

__all__ = [
    "Run",
    "check_run",
    "execute",
    "make_directory",
    "make_strategy",
    "prepare_output",
    "run",
    "write_json",
]

# What a run writes; nothing else in an output directory is ever touched.
_WRITTEN = (
    "config.json",
    "metrics.json",
    "timeline.png",
    "curves.png",
    "edits.png",
    "tensorboard",
)


@dataclass(frozen=True)
class Run:
    """A finished run.

    :param config: what was run.
    :param benchmark: on which streams.
    :param result: figures of merit, as fractions.
    :param curves: accuracy of each task, (ticks done, accuracy) at each test.
    :param trace: weights and elastic factors over ticks, for strategies that have them.
    :param seconds: of training, without the tests.
    :param ticks_per_second: updates per second of training, without the tests.
    :param peak_memory_mb: see :class:`~avalanche_emgd.experiments.resources.PeakMemory`.
    :param editing: what has edited the memory, if it was edited.
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

    def to_json(self) -> dict[str, Any]:
        """Figures of merit as fractions, in all and for each task, and what they cost."""
        benchmark, result = self.benchmark, self.result
        return {
            "A_e": result.A_e,
            "A_ebar": result.A_ebar,
            "F_ebar": result.F_ebar,
            "tasks": [
                {
                    "name": benchmark.task_names[task],
                    "classes": list(benchmark.label_sets[task]),
                    "span": list(benchmark.timeline.spans[task]),
                    "at_end": result.at_end[task],
                    "final": result.final[task],
                    "curve": [list(point) for point in self.curves[task]],
                }
                for task in range(len(benchmark.task_names))
            ],
            "trace": self.trace,
            "editing": [] if self.editing is None else list(map(asdict, self.editing.history)),
            "ticks": benchmark.timeline.num_ticks,
            "seconds": self.seconds,
            "ticks_per_second": self.ticks_per_second,
            "peak_memory_mb": self.peak_memory_mb,
        }


def prepare_output(output: Path, *, overwrite: bool) -> None:
    """Make an empty output directory.

    :param output: the directory.
    :param overwrite: remove what an earlier run has written there; other files stay.
    :raises FileExistsError: if the directory has files in it and must not be overwritten.
    """
    if output.is_dir() and any(output.iterdir()):
        if not overwrite:
            raise FileExistsError(
                f"`output` {str(output)!r} is not empty: name another directory, or allow "
                "overwriting (on the command line: --overwrite)."
            )
        for name in _WRITTEN:
            path = output / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    make_directory(output)


def make_directory(directory: Path) -> None:
    """Make a directory, and those above it.

    :raises ValueError: if that is not possible; says why.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"`output` {str(directory)!r} cannot be made a directory: {error.strerror}."
        ) from None


def make_strategy(
    config: RunConfig,
    evaluator: EvaluationPlugin,
    plugins: list[BasePlugin],
    benchmark: ParallelBenchmark | None = None,
) -> SupervisedTemplate:
    """Model, optimizer and strategy of a run, seeded.

    :param benchmark: that they are for; any that the run could be on, if omitted.
    :raises ValueError: if the settings are not the method's, or the model is not for the data.
    """
    settings, data = config.resolved(), DATA[config.benchmark]
    # Methods of others draw from any of these.
    random.seed(config.seed)
    np.random.seed(config.seed % 2**32)  # noqa: NPY002
    torch.manual_seed(config.seed)
    num_classes, outputs, shape = data.num_classes or 10, data.num_classes or 10, data.shape
    if benchmark is not None:
        num_classes = sum(map(len, benchmark.label_sets))
        outputs, shape = benchmark.num_classes, benchmark.input_shape
    model = make_model(settings.model or data.model, outputs, shape or (3, 32, 32))
    if config.channels_last:
        if all(parameter.ndim != 4 for parameter in model.parameters()):
            raise ValueError("`channels_last` is for convolutional models: leave it out.")
        model = model.to(memory_format=torch.channels_last)
    strategy = make_method(
        config.method,
        model,
        config.settings,
        optimizer=torch.optim.Adam(model.parameters(), lr=float(settings.learning_rate or 0.0)),
        memory_size=int(settings.memory_per_class or 0) * num_classes,
        seed=config.seed,
        device=config.device,
        evaluator=evaluator,
        plugins=plugins,
    )
    if config.precision is not None:
        if not isinstance(strategy, MultiGradientTemplate):
            raise ValueError(
                f"`precision` is for strategies made from MultiGradientTemplate, and "
                f"{config.method!r} is {type(strategy).__name__}: leave it out."
            )
        strategy.use_precision(config.precision)
    return strategy


def run(config: RunConfig, output: Path, *, overwrite: bool = False, progress: bool = True) -> Run:
    """Train, test, and write everything into the output directory.

    Writes ``config.json``, ``metrics.json``, ``timeline.png``, ``curves.png``, ``edits.png`` if the
    memory was edited, and the TensorBoard files in ``tensorboard/``.

    :param config: what to run.
    :param output: directory, made if need be.
    :param overwrite: whether files of an earlier run may be replaced.
    :param progress: whether to show a progress bar.
    :raises FileExistsError: if the directory is not empty and must not be overwritten.
    :raises FileNotFoundError: if the data are not there.
    :raises ValueError: if the protocol cannot be read or is not for the benchmark, or the settings
        are not the method's.
    """
    check_run(config)
    benchmark = make_benchmark(config)
    prepare_output(output, overwrite=overwrite)
    write_json(output / "config.json", config.to_json())
    benchmark.timeline.plot(benchmark.task_names).savefig(output / "timeline.png", dpi=150)
    logger = BatchedTensorboardLogger(str(output / "tensorboard"))
    finished = execute(
        config,
        benchmark,
        [*gradient_diagnostics(), *editing_diagnostics()],
        loggers=[logger],
        progress=progress,
    )
    logger.writer.flush()
    write_json(output / "metrics.json", finished.to_json())
    draw_curves(benchmark, {config.label: finished.curves}).savefig(output / "curves.png", dpi=150)
    if finished.editing is not None and len(finished.editing.memory):
        edits = draw_edits(finished.editing.originals, finished.editing.memory.inputs)
        edits.savefig(output / "edits.png", dpi=150)
    return finished


def execute(
    config: RunConfig,
    benchmark: ParallelBenchmark,
    metrics: Sequence[PluginMetric] = (),
    *,
    loggers: Sequence[BaseLogger] = (),
    progress: bool = False,
) -> Run:
    """Train and test, and write nothing.

    :param config: what to run.
    :param benchmark: made from it, by :func:`make_benchmark`.
    :param metrics: beside those of parallel continual learning.
    :param loggers: of all metrics.
    :param progress: whether to show a progress bar.
    :raises ValueError: if the settings are not the method's.
    """
    iterations = sum(len(experience.ticks) for experience in benchmark.train_stream)
    pcl = PCLMetrics(benchmark, every=config.eval_every or max(1, iterations // 50))
    evaluator = EvaluationPlugin(pcl, *metrics, loggers=list(loggers), collect_all=False)
    bar = TickProgress(iterations, pcl, f"{config.label}, {config.scenario}-incremental")
    trace = WeightTrace(every=max(1, iterations // 200))
    plugins: list[BasePlugin] = [trace, bar] if progress else [trace]
    if config.augment:
        plugins.append(AugmentationPlugin(seed=config.seed))
    strategy = make_strategy(config, evaluator, plugins, benchmark)
    with bar if progress else nullcontext(), PeakMemory(config.device) as memory:
        started = time.perf_counter()
        strategy.train(benchmark.train_stream, eval_streams=[])
        seconds = time.perf_counter() - started - pcl.seconds
    result = pcl.result()
    if result is None:
        raise RuntimeError("Training ended before the end of the stream.")
    return Run(
        config,
        benchmark,
        result,
        _over_ticks(benchmark, pcl),
        trace.trace,
        seconds,
        strategy.clock.train_iterations / seconds,
        memory.megabytes,
        getattr(strategy, "memory_editing", None),
    )


def _over_ticks(benchmark: ParallelBenchmark, metrics: PCLMetrics) -> Curves:
    """Curves over ticks instead of iterations: between tasks, the stream may be idle."""
    ticks = [tick for experience in benchmark.train_stream for tick in experience.ticks]
    return [
        [(ticks[done - 1] + 1, value) for done, value in metrics.history[task]]
        for task in range(len(benchmark.task_names))
    ]


def check_run(config: RunConfig) -> None:
    """Check, before any work starts, that torch knows the device and the method its settings.

    :raises ValueError: if not; says why.
    """
    try:
        torch.empty(0, device=config.device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"`device` {config.device!r} cannot be used here: {error}") from None
    make_strategy(config, EvaluationPlugin(loggers=[], collect_all=False), [])


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write whole or not at all."""
    with replacing(path) as draft:
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
