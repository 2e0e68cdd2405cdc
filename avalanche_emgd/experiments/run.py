"""One training run, from its configuration to its files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from avalanche.core import BasePlugin
from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger
from torch import nn

from .._text_files import first_line
from ..benchmarks import ParallelBenchmark
from ..distributed import Placement, Processes
from ..distributed.launcher import PlacementName
from ..evaluation import (
    BatchedTensorboardLogger,
    PCLMetrics,
    PCLResult,
    editing_diagnostics,
    gradient_diagnostics,
    quiet_evaluator,
)
from ..evaluation.editing import are_images
from ..training import MultiGradientTemplate
from ..training.data_checks import check_data
from ..training.plugins import AugmentationPlugin, CheckpointPlugin, MemoryEditingPlugin
from ..training.replicas import check_alike
from ..training.state.shared_files import load_shared
from ..training.state.strategies import ticks_done
from .config import RunConfig, make_benchmark
from .data import DATA
from .json_files import write_json
from .output import results_in
from .pictures import Curves, draw_curves, draw_edits
from .progress import TickProgress
from .resources import PeakMemory, threads_of_torch
from .resuming import CHECKPOINT, CONFIG
from .strategy import make_strategy
from .trace import Trace, WeightTrace
from .trained_model import MODEL, save_model
from .training_time import TrainingTime

__all__ = [
    "WRITTEN",
    "Run",
    "check_run",
    "execute",
    "run",
]

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

_TESTS = 50  # of a run by itself, for its curves


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


def run(
    config: RunConfig,
    output: Path,
    *,
    overwrite: bool = False,
    progress: bool = True,
    distributed: Placement | PlacementName = "auto",
    checkpoint_every: int | None = None,
    on_signals: bool = False,
    resume: bool = False,
) -> Run:
    """Train and test, and write the results into the output directory.

    Writes ``config.json``, ``metrics.json`` (figures of merit), ``curves.json`` (of each task,
    pairs of ticks done and accuracy), ``trace.json`` (losses, weights and elastic factors over
    ticks), ``timeline.png``, ``curves.png`` and the TensorBoard files in ``tensorboard/``. With
    memory editing, also ``editing.json`` and, for images, ``edits.png``. ``model.pt`` has the
    trained model, for :func:`~avalanche_emgd.experiments.load_model`. A failed run leaves none of
    them, unless it has written a checkpoint. Of the processes that ``torchrun`` has started,
    process 0 writes them.

    Checkpoints are written into ``checkpoint.pt``. ``resume`` continues from it: weights, metrics
    and records are the same as without an interruption. Another number of processes may continue
    it: then they are the same but for rounding. All processes see the directory.

    :param config: configuration of the run.
    :param output: directory, which is made if it does not exist.
    :param overwrite: whether files of an earlier run may be replaced.
    :param progress: whether to show a progress bar.
    :param distributed: placement of the samples on several processes, or its name.
    :param checkpoint_every: number of ticks between two checkpoints, ≥ 1; none while the run goes
        on if omitted.
    :param on_signals: whether SIGINT and SIGTERM write a checkpoint at the end of the tick, and
        then stop the run.
    :param resume: whether to continue from the checkpoint in the directory. Without a checkpoint,
        the run begins anew.
    :raises TrainingStopped: after SIGINT or SIGTERM, with ``on_signals``.
    :raises FileExistsError: if the directory is not empty and ``overwrite`` is false.
    :raises FileNotFoundError: if the data are missing.
    :raises ValueError: if the protocol cannot be read or is for another benchmark, or the method
        does not take its settings.
    """
    check_run(config)
    processes = Processes.join(config.device)
    metrics = [*gradient_diagnostics(), *editing_diagnostics()]
    placement = None if processes.size == 1 else distributed
    check_alike(
        processes, "configurations", (config.resolved().to_json(), checkpoint_every, resume)
    )
    benchmark = make_benchmark(config)
    found = output / CHECKPOINT
    state = load_shared(found, processes) if resume else None

    def trained(**shown: Any) -> Run:
        processes.wait()  # until process 0 has made the directory
        checkpoint = None
        if on_signals or checkpoint_every is not None:
            checkpoint = CheckpointPlugin(
                found, every=checkpoint_every, at_end=checkpoint_every is not None
            )
        return execute(
            config,
            benchmark,
            metrics,
            tests=_TESTS,
            distributed=placement,
            checkpoint=checkpoint,
            on_signals=on_signals,
            state=state,
            **shown,
        )

    if not processes.is_first:
        return trained()
    kept = (CONFIG, CHECKPOINT, "timeline.png", "tensorboard") if state is not None else ()
    replaced = overwrite or resume
    with results_in(output, WRITTEN, overwrite=replaced, kept=kept, keeps_if=CHECKPOINT):
        write_json(output / CONFIG, config.to_json())
        benchmark.timeline.plot(benchmark.task_names).savefig(output / "timeline.png", dpi=150)
        logger = BatchedTensorboardLogger(
            str(output / "tensorboard"), purge_step=None if state is None else ticks_done(state)
        )
        try:
            finished = trained(loggers=[logger], progress=progress)
        finally:
            # The writer's thread must not find its files gone after a failure.
            logger.writer.close()
        _write(finished, output)
        if checkpoint_every is None:
            found.unlink(missing_ok=True)
    return finished


def _write(finished: Run, output: Path) -> None:
    """Write the figures of merit into one file, values to plot into others, and pictures."""
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
    picture.savefig(output / "curves.png", dpi=150)
    editing = finished.editing
    if editing is not None and len(editing.memory) and are_images(editing.memory.inputs):
        edits = draw_edits(editing.originals, editing.memory.inputs)
        edits.savefig(output / "edits.png", dpi=150)
    write_json(output / "metrics.json", found)  # last: it says that the run is finished


def execute(
    config: RunConfig,
    benchmark: ParallelBenchmark,
    metrics: Sequence[PluginMetric] = (),
    *,
    loggers: Sequence[BaseLogger] = (),
    progress: bool = False,
    tests: int = 0,
    distributed: Placement | PlacementName | None = None,
    checkpoint: CheckpointPlugin | None = None,
    on_signals: bool = False,
    state: Mapping[str, Any] | None = None,
) -> Run:
    """Train and test, and write nothing but checkpoints.

    :param config: configuration of the run.
    :param benchmark: benchmark that :func:`make_benchmark` has made of it.
    :param metrics: metrics beside those of parallel continual learning.
    :param loggers: loggers of all metrics.
    :param progress: whether to show a progress bar.
    :param tests: approximate number of all tests, if ``eval_every`` is not set; with 0, tests at
        the ends of segments only.
    :param distributed: placement of the samples on several processes, or its name; one process if
        omitted.
    :param checkpoint: plugin that writes checkpoints.
    :param on_signals: whether SIGINT and SIGTERM write a checkpoint and stop the run.
    :param state: state of a checkpoint, to continue from.
    :raises ValueError: if the method does not take its settings, or does not train on several
        processes, or the state is of another run.
    """
    iterations = sum(len(experience.ticks) for experience in benchmark.train_stream)
    every = max(1, iterations // tests) if tests else 0
    pcl = PCLMetrics(benchmark, every=config.eval_every or every)
    evaluator = quiet_evaluator(pcl, *metrics)
    evaluator.loggers = list(loggers)
    bar = TickProgress(iterations, pcl, f"{config.label}, {config.scenario}-incremental")
    trace = WeightTrace(every=max(1, iterations // 200))
    clock = TrainingTime()
    plugins: list[BasePlugin] = [trace, clock, bar] if progress else [trace, clock]
    if config.augment:
        flip = DATA[config.benchmark].flips and not config.no_flip
        plugins.append(AugmentationPlugin(flip=flip, seed=config.seed))
    if checkpoint is not None:
        plugins.append(checkpoint)
    stopping = checkpoint.stopping() if checkpoint is not None and on_signals else nullcontext()
    with threads_of_torch(config.threads):
        strategy = make_strategy(config, evaluator, plugins, benchmark)
        if distributed is not None:
            if not isinstance(strategy, MultiGradientTemplate):
                raise ValueError(
                    f"`method` {config.method!r} is {type(strategy).__name__}, which trains in one "
                    "process: start it without torchrun."
                )
            strategy.use_processes(distributed)
        check_data(strategy, benchmark.train_stream)
        with bar if progress else nullcontext(), PeakMemory(config.device) as memory, stopping:
            clock.start()
            if state is not None:
                _load(strategy, state)
            strategy.train(benchmark.train_stream, eval_streams=[])
            seconds = clock.seconds - pcl.seconds
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
        getattr(strategy, "tested_model", strategy.model),
    )


def _load(strategy: Any, state: Mapping[str, Any]) -> None:
    if not hasattr(strategy, "load_state_dict"):
        raise ValueError(
            f"`resume` is for strategies made from MultiGradientTemplate, and this method's is a "
            f"{type(strategy).__name__}."
        )
    strategy.load_state_dict(state)


def _over_ticks(benchmark: ParallelBenchmark, metrics: PCLMetrics) -> Curves:
    """Convert curves from iterations to ticks: between tasks, the stream may be idle."""
    ticks = [tick for experience in benchmark.train_stream for tick in experience.ticks]
    return [
        [(ticks[done - 1] + 1, value) for done, value in metrics.history[task]]
        for task in range(len(benchmark.task_names))
    ]


def check_run(config: RunConfig) -> None:
    """Check before any work starts that torch knows the device, and the method its settings.

    :raises ValueError: if one of them fails; the message says why.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that PyTorch is about to drop
            torch.zeros(1, device=config.device).add(1.0).item()
    except (RuntimeError, AssertionError) as error:
        words = first_line(error)
        raise ValueError(f"`device` {config.device!r} cannot be used here: {words}") from None
    make_strategy(config, quiet_evaluator(), [])
