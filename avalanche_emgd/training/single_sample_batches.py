"""Models that cannot be trained on a single sample, and minibatches of a single sample."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.models.utils import avalanche_forward
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import default_collate

from ..benchmarks.parallel import ParallelBenchmark
from .model_trial import model_trial

__all__ = ["fails_on_single_samples", "has_batch_norm", "single_replay_reason"]


def has_batch_norm(model: nn.Module) -> bool:
    """Whether a model has a layer of one of torch's batch norm types."""
    return any(isinstance(module, _BatchNorm) for module in model.modules())


def fails_on_single_samples(model: nn.Module, dataset: Any, device: torch.device) -> bool:
    """Whether batch norm fails on a minibatch of a single sample, which has no variance.

    The answer depends on the layers before batch norm, because the pixels of one image have a
    variance. The function therefore forwards one sample. Parameters, buffers, modes and the global
    generators of random numbers do not change.

    :param model: model to forward.
    :param dataset: Avalanche data set with the training samples.
    :param device: device of the model.
    """
    if not has_batch_norm(model):
        return False
    with model_trial(model):
        sample = dataset.train()[0]
        x = default_collate([sample[0]]).to(device)
        task = torch.tensor([int(sample[2]) if len(sample) > 2 else 0], device=device)
        model.train()
        try:
            avalanche_forward(model, x, task)
        except Exception as error:  # training itself reports other errors
            return "more than 1 value per channel" in str(error)
    return False


def single_replay_reason(
    benchmark: ParallelBenchmark, memory_size: int, batch_size: int
) -> str | None:
    """Explain why a replayed minibatch will be a single sample.

    :param benchmark: parallel benchmark, trained on once from its first to its last segment.
    :param memory_size: capacity of the replay memory in samples.
    :param batch_size: number of samples from memory at each tick.
    :return: reason and remedy, for an error message; ``None`` if minibatches are larger.
    """
    start = max(segment.start for segment in benchmark.timeline.segments())
    if not any(end < start for _, end in benchmark.timeline.spans):
        return None  # nothing is replayed
    if batch_size == 1:
        return "one sample is drawn at each tick: give `train_mb_size`, at least 2"
    if memory_size == 1:
        return "it holds one sample: give `memory_size`, at least 2"
    return None
