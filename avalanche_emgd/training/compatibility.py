"""Checks that a model and a criterion can be trained on a benchmark, before any work starts."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..benchmarks.parallel import ParallelBenchmark
from .single_sample_batches import fails_on_single_samples

__all__ = ["check_smoothing", "check_trainable"]


def check_trainable(
    model: nn.Module, criterion: Any, benchmark: ParallelBenchmark, device: torch.device
) -> None:
    """Check that model and criterion can be trained on a benchmark.

    :param device: device of the model.
    :raises ValueError: if batch norm would normalise a single sample, or if label smoothing would
        give targets to classes that do not compete.
    """
    check_smoothing(criterion)
    for task, size in enumerate(benchmark.task_sizes):
        is_alone = size % benchmark.batch_size == 1 or benchmark.batch_size == 1
        if is_alone and fails_on_single_samples(model, benchmark.train_stream[0].dataset, device):
            raise ValueError(
                f"`model` has batch norm, which cannot normalise a single sample, but the last of "
                f"the {size} samples of {benchmark.task_names[task]!r} comes alone in minibatches "
                f"of {benchmark.batch_size}: choose another `batch_size`."
            )


def check_smoothing(criterion: Any) -> None:
    """Check that a criterion gives no targets to classes that do not compete.

    :param criterion: criterion of a strategy.
    :raises ValueError: if it smooths labels.
    """
    smoothing = getattr(criterion, "label_smoothing", 0.0)
    if smoothing:
        raise ValueError(
            f"`criterion` has label_smoothing={smoothing!r}, which gives targets to the classes "
            "that the scenario masks: use 0."
        )
