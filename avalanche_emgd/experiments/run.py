"""One training run, from its configuration to files one can look at."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from avalanche.core import BasePlugin
from avalanche.logging import TensorboardLogger
from avalanche.training.plugins import EvaluationPlugin
from torch import nn

from ..benchmarks import ParallelBenchmark
from ..evaluation import PCLMetrics, PCLResult, gradient_diagnostics
from ..models import MLP
from ..training import AvgGradStrategy, EMGDStrategy, MultiGradientTemplate
from .config import DEFAULTS, RunConfig, make_benchmark
from .pictures import Curves, draw_curves
from .progress import TickProgress

__all__ = ["Run", "make_strategy", "prepare_output", "run"]

# What a run writes; nothing else in an output directory is ever touched.
_WRITTEN = ("config.json", "metrics.json", "timeline.png", "curves.png", "tensorboard")


@dataclass(frozen=True)
class Run:
    """A finished run.

    :param config: what was run.
    :param benchmark: on which streams.
    :param result: figures of merit, as fractions.
    :param curves: accuracy of each task, (ticks done, accuracy) at each test.
    :param seconds: of training, evaluation included.
    """

    config: RunConfig
    benchmark: ParallelBenchmark
    result: PCLResult
    curves: Curves
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Figures of merit as fractions, in all and for each task."""
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
            "ticks": benchmark.timeline.num_ticks,
            "seconds": self.seconds,
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
    benchmark: ParallelBenchmark,
    evaluator: EvaluationPlugin,
    plugins: list[BasePlugin],
) -> MultiGradientTemplate:
    """Model, optimizer and strategy of a run, seeded."""
    settings, own = config.resolved(), DEFAULTS[config.benchmark]
    torch.manual_seed(config.seed)
    model: nn.Module = MLP(own.num_classes, own.in_features)
    arguments: dict[str, Any] = {
        "optimizer": torch.optim.Adam(model.parameters(), lr=float(settings.learning_rate or 0.0)),
        "memory_size": int(settings.memory_per_class or 0) * own.num_classes,
        "seed": config.seed,
        "device": config.device,
        "evaluator": evaluator,
        "plugins": plugins,
    }
    if config.method == "avg":
        return AvgGradStrategy(model, **arguments)
    arguments["elastic"] = config.rule or config.method
    return EMGDStrategy(model, **arguments)


def run(config: RunConfig, output: Path, *, overwrite: bool = False, progress: bool = True) -> Run:
    """Train, test, and write everything into the output directory.

    Writes ``config.json``, ``metrics.json``, ``timeline.png``, ``curves.png`` and the TensorBoard
    files in ``tensorboard/``.

    :param config: what to run.
    :param output: directory, made if need be.
    :param overwrite: whether files of an earlier run may be replaced.
    :param progress: whether to show a progress bar.
    :raises FileExistsError: if the directory is not empty and must not be overwritten.
    :raises FileNotFoundError: if the data are not there.
    :raises ValueError: if the protocol cannot be read or is not for the benchmark.
    """
    _check_device(config.device)
    benchmark = make_benchmark(config)
    prepare_output(output, overwrite=overwrite)
    _write_json(output / "config.json", config.to_json())
    benchmark.timeline.plot(benchmark.task_names).savefig(output / "timeline.png", dpi=150)

    iterations = sum(len(experience.ticks) for experience in benchmark.train_stream)
    metrics = PCLMetrics(benchmark, every=config.eval_every or max(1, iterations // 50))
    evaluator = EvaluationPlugin(
        metrics,
        gradient_diagnostics(),
        loggers=[TensorboardLogger(str(output / "tensorboard"))],
        collect_all=False,
    )
    bar = TickProgress(iterations, metrics, f"{config.label}, {config.scenario}-incremental")
    strategy = make_strategy(config, benchmark, evaluator, [bar] if progress else [])
    started = time.perf_counter()
    with bar if progress else nullcontext():
        strategy.train(benchmark.train_stream, eval_streams=[])
    seconds = time.perf_counter() - started
    for logger in evaluator.loggers:
        logger.writer.flush()
    result = metrics.result()
    if result is None:
        raise RuntimeError("Training ended before the end of the stream.")
    finished = Run(config, benchmark, result, _over_ticks(benchmark, metrics), seconds)
    _write_json(output / "metrics.json", finished.to_json())
    draw_curves(benchmark, {config.label: finished.curves}).savefig(output / "curves.png", dpi=150)
    return finished


def _over_ticks(benchmark: ParallelBenchmark, metrics: PCLMetrics) -> Curves:
    """Curves over ticks instead of iterations: between tasks, the stream may be idle."""
    ticks = [tick for experience in benchmark.train_stream for tick in experience.ticks]
    return [
        [(ticks[done - 1] + 1, value) for done, value in metrics.history[task]]
        for task in range(len(benchmark.task_names))
    ]


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"`device` {device!r} cannot be used here: {error}") from None


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
