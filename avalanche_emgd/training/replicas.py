"""Equal models, random states and streams on all processes."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

from ..benchmarks.experience import objective_names
from ..distributed import Processes
from ..distributed.digests import digest_of, digest_of_text, sums_of
from ..distributed.randomness import share_random_states

__all__ = ["align", "check_alike", "check_experience", "check_parameters"]


def align(processes: Processes, model: nn.Module) -> None:
    """Give the random states, parameters and buffers of process 0 to all processes.

    :param processes: processes that train together.
    :param model: model of the same shape on all of them.
    :raises ProcessError: if the models have different shapes.
    """
    if processes.size == 1:
        return
    tensors = [*model.parameters(), *model.buffers()]
    check_alike(processes, "models", [(tuple(t.shape), t.dtype) for t in tensors])
    share_random_states(processes)
    for tensor in tensors:
        found = tensor.detach().to(processes.device, copy=True).contiguous()
        processes.broadcast(found)
        if not processes.is_first:
            tensor.data.copy_(found)


def check_experience(processes: Processes, strategy: Any) -> None:
    """Check that all processes begin the same experience with the same settings.

    :param processes: processes that train together.
    :param strategy: strategy at the beginning of an experience.
    :raises ProcessError: if they differ.
    """
    if processes.size == 1:
        return
    memory, optimizer = strategy.memory, strategy.optimizer
    described = (
        strategy.clock.train_iterations,
        len(strategy.adapted_dataset),
        len(strategy.dataloader),
        sorted(objective_names(strategy.experience).items()),
        (strategy.train_mb_size, strategy.memory_mb_size, strategy.train_epochs),
        None if memory is None else (memory.max_size, len(memory)),
    )
    check_alike(processes, "experiences or settings", described)
    groups = [
        {name: _plain(value) for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
    ]
    check_alike(processes, "optimizers", (type(optimizer).__name__, groups))
    made_of = (type(strategy).__name__, repr(strategy.weighting), strategy._settings)
    check_alike(processes, "strategies or weightings", made_of)
    if memory is not None and len(memory):
        inputs, *labels = memory.take(torch.arange(len(memory)))
        # Edits may differ by the rounding of GPUs.
        compared = [inputs, *labels] if strategy.memory_editing is None else labels
        processes.agree("replay memories", digest_of(compared))


def check_parameters(processes: Processes, model: nn.Module) -> None:
    """Check that all processes have the same parameters.

    :param processes: processes that train together.
    :param model: model of the same shape on all of them.
    :raises ProcessError: if they differ.
    """
    if processes.size > 1:
        processes.agree("parameters", sums_of(model))


def check_alike(processes: Processes, what: str, described: Any) -> None:
    """Check that a description is the same on all processes.

    :param processes: processes, all of which call this function.
    :param what: words for the message.
    :param described: value whose ``repr`` describes it.
    :raises ProcessError: if it differs.
    """
    # Addresses of objects differ from process to process.
    words = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(described))
    processes.agree(what, digest_of_text(words))


def _plain(value: Any) -> Any:
    """Convert a learning rate that is a tensor, of which `repr` shows a few digits only."""
    return value.tolist() if isinstance(value, torch.Tensor) else value
