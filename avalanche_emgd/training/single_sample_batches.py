"""Models that cannot be trained on a single sample, and minibatches of a single sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.models.utils import avalanche_forward
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import default_collate

from ..benchmarks import SegmentExperience, SerialTickLoader
from ..benchmarks.experience import objective_names
from ..benchmarks.parallel import ParallelBenchmark
from .model_trial import model_trial

__all__ = [
    "check_drawn",
    "check_minibatch",
    "check_minibatches",
    "check_replay",
    "check_replayed_minibatches",
    "fails_on_single_samples",
    "has_batch_norm",
]

# Reason and remedy for a memory that delivers a single sample.
_LONE = "it has no more, or no more are drawn: give a larger `train_mb_size` and `memory_size`"


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


def check_minibatches(strategy: Any, experiences: Any) -> None:
    """Check beforehand that no minibatch of ordinary experiences is too small for the model.

    :param strategy: strategy that is to train on them.
    :param experiences: a sequence of experiences; those of a lazy stream are checked one by one,
        when they begin.
    :raises ValueError: if one is too small.
    """
    if not has_batch_norm(strategy.model) or not isinstance(experiences, Sequence):
        return
    for each in experiences:
        if not isinstance(each, SegmentExperience):
            names = objective_names(each, each.dataset)
            loader = SerialTickLoader(each.dataset, strategy.train_mb_size, names)
            check_minibatch(strategy, loader, each.dataset)


def check_minibatch(strategy: Any, loader: SerialTickLoader, dataset: Any) -> None:
    """Check that no minibatch of a loader is too small for the model.

    :param strategy: strategy that is to train.
    :param loader: loader of the samples.
    :param dataset: samples of the loader.
    :raises ValueError: if one is too small.
    """
    if loader.fewest == 1 and fails_on_single_samples(strategy.model, dataset, strategy.device):
        raise ValueError(
            f"`model` has batch norm, which cannot normalise a single sample, but the last of "
            f"{len(dataset)} samples comes alone in minibatches of {strategy.train_mb_size}: "
            "choose another `train_mb_size`."
        )


def check_replayed_minibatches(strategy: Any, experiences: Any) -> None:
    """Check beforehand that no minibatch from memory is too small, on ordinary experiences.

    :param strategy: strategy; without a replay memory there is nothing to check.
    :param experiences: experiences, see :func:`check_minibatches`.
    :raises ValueError: if one is too small.
    """
    if strategy.replay is None or not isinstance(experiences, Sequence):
        return
    replaying = [e for e in experiences if not isinstance(e, SegmentExperience)][1:]
    if replaying and 1 in (strategy.train_mb_size, strategy.memory.max_size):
        _refuse_lone(strategy, strategy.model, _LONE, replaying[0].dataset)


def check_replay(strategy: Any, model: nn.Module, benchmark: ParallelBenchmark) -> None:
    """Check beforehand that no minibatch from memory is too small, on a parallel benchmark.

    :param strategy: strategy; without a replay memory there is nothing to check.
    :param model: model that is to be trained.
    :param benchmark: benchmark of the stream.
    :raises ValueError: if one is too small.
    """
    if strategy.replay is None:
        return
    reason = _single_replay_reason(benchmark, strategy.memory.max_size, strategy.memory_mb_size)
    if reason is not None:
        _refuse_lone(strategy, model, reason, benchmark.train_stream[0].dataset)


def check_drawn(strategy: Any) -> None:
    """Check that minibatches from memory are not too small in the experience that begins.

    :param strategy: strategy; without a replay memory there is nothing to check.
    :raises ValueError: if they are.
    """
    memory = strategy.memory
    if memory is not None and min(strategy.memory_mb_size, len(memory)) == 1:
        _refuse_lone(strategy, strategy.model, _LONE, strategy.adapted_dataset)


def _refuse_lone(strategy: Any, model: nn.Module, reason: str, dataset: Any) -> None:
    """Raise an error if a model cannot be trained on a single sample from memory.

    :param strategy: strategy with a replay memory.
    :param model: model that is to be trained.
    :param reason: reason and remedy, for the message.
    :param dataset: samples, of which one is forwarded.
    :raises ValueError: if the model fails.
    """
    if fails_on_single_samples(model, dataset, strategy.device):
        raise ValueError(
            "`model` has batch norm, which cannot normalise a single sample, but the replay "
            f"memory delivers one: {reason}."
        )


def _single_replay_reason(
    benchmark: ParallelBenchmark, memory_size: int, batch_size: int
) -> str | None:
    """Explain why replayed minibatches have a single sample.

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
