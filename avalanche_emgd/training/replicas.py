"""Equal models, random states and streams on all processes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from avalanche.training.plugins import EvaluationPlugin
from torch import nn

from ..benchmarks.experience import objective_names
from ..distributed import ProcessError, Processes
from ..distributed.digests import digest_of, digest_of_text, sums_of
from ..distributed.plain_values import gather_values
from ..distributed.processes import REMEDY
from ..distributed.randomness import share_random_states
from .state.settings import described

__all__ = ["align", "check_alike", "check_experience", "check_parameters", "kept_alike", "watched"]

_OF_TRAINING = ("avalanche.training.", "avalanche_emgd.training.")
_LONGEST = 80  # letters of a setting in a message


@contextmanager
def kept_alike(strategy: Any) -> Iterator[None]:
    """Context of a training: it makes the models equal at its start, and compares them at its end.

    :param strategy: strategy with its processes; nothing to do for one that trains by itself.
    :raises ProcessError: if the models differ in more than their values, or at the end in these.
    """
    processes: Processes | None = strategy.processes
    if processes is None:
        yield
        return
    with processes.training():
        align(processes, strategy.model)
        yield
        check_parameters(processes, strategy.model)


def watched(strategy: Any) -> AbstractContextManager[None]:
    """Context of a test, in which an error of one process ends the others, too.

    :param strategy: strategy with its processes; an empty context for one that trains by itself.
    """
    processes: Processes | None = strategy.processes
    return nullcontext() if processes is None else processes.watched()


def align(processes: Processes, model: nn.Module) -> None:
    """Give the random states, parameters and buffers of process 0 to all processes.

    :param processes: processes that train together.
    :param model: model of the same layers and shapes on all of them.
    :raises ProcessError: if the models differ in more than the values of their tensors.
    """
    if processes.size == 1:
        return
    check_alike(processes, "models", _structure(model))
    share_random_states(processes)
    for tensor in [*model.parameters(), *model.buffers()]:
        found = tensor.detach().to(processes.device, copy=True).contiguous()
        processes.broadcast(found)
        if not processes.is_first:
            tensor.data.copy_(found)


def _structure(model: nn.Module) -> dict[str, Any]:
    """Describe layers with their settings, and tensors without their values, by their names."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        **{f"layer {name!r}": described(each) for name, each in model.named_modules()},
        **{name: (tuple(t.shape), t.dtype, t.requires_grad) for name, t in tensors},
    }


def check_experience(processes: Processes | None, strategy: Any) -> None:
    """Check that all processes begin the same experience with the same settings.

    :param processes: processes that train together; ``None`` for one that trains by itself.
    :param strategy: strategy at the beginning of an experience.
    :raises ProcessError: if they differ.
    """
    if processes is None or processes.size == 1:
        return
    memory, optimizer = strategy.memory, strategy.optimizer
    benchmark = getattr(strategy.experience, "benchmark", None)
    experience = {
        "ticks before": strategy.clock.train_iterations,
        "samples": len(strategy.adapted_dataset),
        "ticks": len(strategy.dataloader),
        "tasks": sorted(objective_names(strategy.experience).items()),
        "scenario": getattr(benchmark, "scenario", None),
        "train_mb_size": strategy.train_mb_size,
        "memory_mb_size": strategy.memory_mb_size,
        "train_epochs": strategy.train_epochs,
        "memory_size": None if memory is None else memory.max_size,
        "samples in memory": None if memory is None else len(memory),
    }
    check_alike(processes, "experiences or settings", experience)
    groups = {
        f"{name} of group {k}": _plain(value)
        for k, group in enumerate(optimizer.param_groups)
        for name, value in group.items()
        if name != "params"
    }
    check_alike(processes, "optimizers", {"type": type(optimizer).__name__, **groups})
    made_of = {
        "type": type(strategy).__name__,
        "weighting": repr(strategy.weighting),
        **strategy._settings,
        "distributed": described(strategy.engine.placement),
        "shared": (strategy.space.num_shared, _names_in(strategy.space, strategy.model)),
        **{f"plugin {k}": each for k, each in enumerate(_plugins(strategy))},
    }
    check_alike(processes, "strategies or weightings", made_of)
    if memory is not None and len(memory):
        inputs, *labels = memory.take(torch.arange(len(memory)))
        # Edits may differ by the rounding of GPUs.
        compared = [inputs, *labels] if strategy.memory_editing is None else labels
        processes.agree("replay memories", digest_of(compared))


def _names_in(space: Any, model: nn.Module) -> list[str]:
    """Names of the parameters in the order of a space."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [names[id(parameter)] for parameter in space.parameters]


def _plugins(strategy: Any) -> list[str]:
    """Describe the plugins of Avalanche and of this package that take part in training.

    Metrics, and plugins of users, may be on one process alone, to print or to save.
    """
    return [
        described(each)
        for each in strategy.plugins
        if type(each).__module__.startswith(_OF_TRAINING) and not isinstance(each, EvaluationPlugin)
    ]


def check_parameters(processes: Processes, model: nn.Module) -> None:
    """Check that all processes have the same parameters.

    :param processes: processes that train together.
    :param model: model of the same shape on all of them.
    :raises ProcessError: if they differ.
    """
    if processes.size > 1:
        processes.agree("parameters", sums_of(model))


def check_alike(processes: Processes, what: str, descriptions: Mapping[str, Any]) -> None:
    """Check that descriptions are the same on all processes.

    :param processes: processes, all of which call this function.
    :param what: words for the message.
    :param descriptions: text, or values whose ``repr`` describes them, by names for the message.
    :raises ProcessError: if one differs; the message has its name and its values.
    """
    # Addresses of objects, and numbers of GPUs, differ from process to process.
    own = {
        name: re.sub(r" at 0x[0-9a-fA-F]+|(?<=cuda):\d+", "", _words_of(value))
        for name, value in descriptions.items()
    }
    digests = processes.gather(digest_of_text(repr(own)).to(processes.device), "checks").tolist()
    differing = next((k for k, each in enumerate(digests) if each != digests[0]), None)
    if differing is None:
        return
    found = gather_values(processes, own, "checks")
    first, other = found[0], found[differing]
    name = next((n for n in [*first, *other] if first.get(n) != other.get(n)), None)
    words = "their order"
    if name is not None:
        one, two = (each.get(name, "absent") for each in (first, other))
        pairs = enumerate(zip(one, two, strict=False))
        same = next((k for k, (a, b) in pairs if a != b), min(len(one), len(two)))
        words = f"{name}: {_shown(one, same)} and {_shown(two, same)}"
    raise ProcessError(f"processes 0 and {differing} have different {what} ({words}): {REMEDY}")


def _words_of(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _shown(text: str, same: int) -> str:
    """Shorten a text, but keep what follows the first ``same`` letters."""
    start = 0 if len(text) <= _LONGEST else max(0, min(same - _LONGEST // 2, len(text) - _LONGEST))
    stop = start + _LONGEST
    return f"{'…' * (start > 0)}{text[start:stop]}{'…' * (stop < len(text))}"


def _plain(value: Any) -> Any:
    """Convert a learning rate that is a tensor, of which `repr` shows a few digits only."""
    return value.tolist() if isinstance(value, torch.Tensor) else value
