"""One training run, from its configuration to its files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from avalanche.core import BasePlugin
from avalanche.evaluation import PluginMetric
from avalanche.logging import BaseLogger

from .._text_files import first_line
from ..benchmarks import ParallelBenchmark
from ..distributed import Placement, Processes
from ..distributed.launcher import PlacementName
from ..evaluation import (
    BatchedTensorboardLogger,
    PCLMetrics,
    editing_diagnostics,
    gradient_diagnostics,
    quiet_evaluator,
)
from ..training import MultiGradientTemplate
from ..training.data_checks import check_data
from ..training.plugins import AugmentationPlugin, CheckpointPlugin
from ..training.replicas import check_alike
from ..training.state.shared_files import load_shared
from ..training.state.strategies import ticks_done
from .config import RunConfig, make_benchmark
from .data import DATA
from .finished_run import WRITTEN, Run, write_run
from .json_files import write_json
from .output import results_in
from .picture_files import save_picture
from .pictures import Curves
from .progress import TickProgress
from .resources import PeakMemory, threads_of_torch
from .resuming import CHECKPOINT, CONFIG
from .strategy import make_strategy
from .trace import WeightTrace
from .training_time import TrainingTime

__all__ = [
    "check_run",
    "execute",
    "run",
]

_TESTS = 50  # of a run by itself, for its curves


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

    Writes ``config.json``, ``metrics.json`` (figures of merit), ``curves.json`` (pairs of ticks
    done and accuracy for each task) and ``trace.json`` (losses, weights and elastic factors over
    ticks). Pictures are ``timeline.png`` and ``curves.png``; TensorBoard files are in
    ``tensorboard/``. With memory editing, also ``editing.json`` and, for images, ``edits.png``.
    ``model.pt`` has the trained model, for :func:`~avalanche_emgd.experiments.load_model`. A failed
    run leaves none of them, unless it has written a checkpoint. Of the processes that ``torchrun``
    has started, process 0 writes them.

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
    :raises DirectoryInUseError: if another command writes into the directory.
    :raises FileExistsError: if the directory is not empty and ``overwrite`` is false.
    :raises FileNotFoundError: if the data are missing.
    :raises ValueError: if the protocol cannot be read or is for another benchmark, or the method
        does not take its settings.
    """
    check_run(config)
    processes = Processes.join(config.device)
    metrics = [*gradient_diagnostics(), *editing_diagnostics()]
    placement = None if processes.size == 1 else distributed
    options = {"checkpoint_every": checkpoint_every, "resume": resume}
    check_alike(processes, "configurations", {**config.resolved().to_json(), **options})
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
        save_picture(benchmark.timeline.plot(benchmark.task_names), output / "timeline.png")
        logger = BatchedTensorboardLogger(
            str(output / "tensorboard"), purge_step=None if state is None else ticks_done(state)
        )
        try:
            finished = trained(loggers=[logger], progress=progress)
        finally:
            # The writer's thread must not find its files gone after a failure.
            logger.writer.close()
        write_run(finished, output)
        if checkpoint_every is None:
            found.unlink(missing_ok=True)
    return finished


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
    :param benchmark: benchmark that :func:`make_benchmark` has made from ``config``.
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
    """Check before any work starts that torch has the device, and the method the settings.

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
