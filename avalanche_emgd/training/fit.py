"""Checks that sizes, model, criterion and benchmark fit together, before any work starts."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..benchmarks.parallel import ParallelBenchmark
from .lone_samples import fails_alone
from .options import StrategyOptions

__all__ = ["check_fit", "check_sizes"]


def check_sizes(options: StrategyOptions) -> None:
    """Check the sizes among the options of a strategy.

    :param options: all options.
    :raises ValueError: if a size is out of range; the message names the option and the value.
    """
    for name, value, low in (
        ("memory_size", options["memory_size"], 0),
        ("train_mb_size", options["train_mb_size"], 1),
        ("train_epochs", options["train_epochs"], 1),
        ("eval_mb_size", options["eval_mb_size"], 1),
    ):
        if value is not None and (not isinstance(value, int) or value < low):
            raise ValueError(f"`{name}` must be an integer, at least {low}, found {value!r}.")


def check_fit(
    model: nn.Module, criterion: Any, benchmark: ParallelBenchmark, device: torch.device
) -> None:
    """Check that model and criterion can be trained on a benchmark.

    :param device: device of the model.
    :raises ValueError: if batch norm would normalise a single sample, or if label smoothing would
        give targets to classes that do not compete.
    """
    smoothing = getattr(criterion, "label_smoothing", 0.0)
    if smoothing:
        raise ValueError(
            f"`criterion` has label_smoothing={smoothing!r}, which gives targets to the classes "
            "that the scenario masks: use 0."
        )
    for task, size in enumerate(benchmark.task_sizes):
        is_alone = size % benchmark.batch_size == 1 or benchmark.batch_size == 1
        if is_alone and fails_alone(model, benchmark.train_stream[0].dataset, device):
            raise ValueError(
                f"`model` has batch norm, which cannot normalise a single sample, but the last of "
                f"the {size} samples of {benchmark.task_names[task]!r} comes alone in minibatches "
                f"of {benchmark.batch_size}: choose another `batch_size`."
            )
