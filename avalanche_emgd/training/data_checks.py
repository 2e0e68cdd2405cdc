"""Checks that a strategy and the data of a stream fit together, before any work starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.benchmarks.scenarios import EagerCLStream
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.models import DynamicModule
from avalanche.models.utils import avalanche_forward
from torch import Tensor, nn

from .._temporary_seed import temporary_seed
from .._text_files import first_line
from ..benchmarks.datasets import inputs_of
from ..benchmarks.experience import ParallelExperience
from ..benchmarks.inputs import InputKind
from ..benchmarks.live import LiveBenchmark
from ..benchmarks.ordinary_experiences import check_kept, check_ordinary
from ..benchmarks.parallel import ParallelBenchmark
from .model_trial import model_trial

__all__ = ["check_data", "check_experiences", "check_takes_numbers"]

# Errors of PyTorch for inputs of a wrong shape, type or range.
_OF_INPUTS = (RuntimeError, TypeError, ValueError, IndexError)

_MOST_EXPERIENCES = 100  # of an ordinary stream whose samples are examined


def check_data(strategy: Any, experiences: Any, samples: int = 64) -> bool:
    """Check that a strategy can be trained on experiences.

    :param strategy: strategy with ``model``, and optionally ``memory``, ``memory_editing`` and
        ``memory_augmentation``.
    :param experiences: an experience or a stream of experiences.
    :param samples: total number of samples of ordinary experiences to examine, at least 2 of each.
    :return: whether the experiences have been checked; streams that are generated during training
        are not checked.
    :raises ValueError: if targets are not class labels, if ticks and masks have been lost, if the
        model cannot take the inputs, or if a replay memory cannot store or augment them.
    """
    found = check_experiences(experiences)
    for place, experience in enumerate(found[:_MOST_EXPERIENCES]):
        check_ordinary(experience, max(2, samples // len(found)), f"experiences[{place}]")
    owners = [getattr(experience, "benchmark", None) for experience in found]
    benchmarks = {
        id(owner): owner
        for owner in owners
        if isinstance(owner, ParallelBenchmark) and not isinstance(owner, LiveBenchmark)
    }
    for benchmark in benchmarks.values():
        if getattr(strategy, "memory", None) is not None:
            _check_memory(benchmark, getattr(strategy, "memory_editing", None) is not None)
        _check_model(strategy.model, benchmark)
    if getattr(strategy, "memory_augmentation", None) is not None:
        _check_augmentation(strategy, list(benchmarks.values()), found[:_MOST_EXPERIENCES])
    return bool(found)


def check_experiences(experiences: Any) -> list[Any]:
    """List experiences, and check that they have the ticks of their parallel benchmark.

    :raises ValueError: if an experience has lost its ticks.
    """
    if hasattr(experiences, "dataset"):
        experiences = [experiences]
    found = list(experiences) if isinstance(experiences, (list, tuple, EagerCLStream)) else []
    for experience in found:
        check_kept(experience)
    return found


def check_takes_numbers(name: str, kind: InputKind) -> None:
    """Check that inputs are floating-point numbers, for models without an embedding.

    :param name: name of the model.
    :param kind: kind of the inputs.
    :raises ValueError: if the inputs are integers.
    """
    if not kind.dtype.is_floating_point:
        raise ValueError(
            f"`model` {name!r} is for floating-point inputs, but these are token ids, {kind}: give "
            "your own model with an embedding, as module:callable."
        )


def _check_memory(benchmark: ParallelBenchmark, edited: bool) -> None:
    kinds = benchmark.input_kinds
    first = kinds.train[0]
    for task, (loaded, stored) in enumerate(zip(kinds.train, kinds.stored, strict=True)):
        if not (loaded.agrees(first) and stored.agrees(first)):
            raise ValueError(
                f"`memory_size` needs inputs of one shape and type in all tasks, found {first} in "
                f"task 0; in task {task}, {loaded} after training transforms and {stored} after "
                "evaluation transforms."
            )
    if edited and not first.dtype.is_floating_point:
        raise ValueError(f"`memory_editing` is for floating-point inputs, found {first}.")


def _check_augmentation(
    strategy: Any, benchmarks: Sequence[ParallelBenchmark], experiences: Sequence[Any]
) -> None:
    """Check that one input of each benchmark, or of each other experience, can be augmented."""
    with temporary_seed(0):
        found = [_example(each, each.input_kinds.train[0])[0] for each in benchmarks]
        for experience in experiences:
            data = getattr(experience, "dataset", None)
            is_other = not isinstance(experience, ParallelExperience)
            if is_other and isinstance(data, AvalancheDataset) and len(data):
                found.append(inputs_of(data.eval(), torch.tensor([0])))
    for x in found:
        strategy.memory_augmentation.check_on(x.to(strategy.device))


def _check_model(model: nn.Module, benchmark: ParallelBenchmark) -> None:
    """Forward one input of each shape and type through the model, which keeps its state."""
    parameters = [p for p in model.parameters() if p.is_floating_point()]
    unready = (nn.UninitializedParameter, DynamicModule)  # heads are prepared later
    parts = (*model.parameters(), *model.modules())
    if not parameters or any(isinstance(part, unready) for part in parts):
        return
    kinds = benchmark.input_kinds
    with model_trial(model):
        model.eval()
        for kind in dict.fromkeys((*kinds.train, *kinds.test)):  # in the order of the tasks
            x, task = _example(benchmark, kind)
            name, device = benchmark.task_names[task], parameters[0].device
            _try(model, x.to(device), kind, name, task)
            if kinds.extremes is not None and device.type == "cpu":
                _try_range(model, x, kinds.extremes, name, task)


def _example(benchmark: ParallelBenchmark, kind: InputKind) -> tuple[Tensor, int]:
    """Load one input ``[1, ...]`` of a kind, and return it with its task label."""
    kinds = benchmark.input_kinds
    if kind in kinds.test:
        task = kinds.test.index(kind)
        data = benchmark.test_stream[task].dataset
        return inputs_of(data.eval(), torch.tensor([0])), task
    task = kinds.train.index(kind)
    first = next(e for e in benchmark.train_stream if task in e.starting_tasks)
    delivery = next(d for d in first.deliveries[0] if d.task == task)
    return first.load([delivery])[0][:1], task


def _try_range(
    model: nn.Module, x: Tensor, extremes: tuple[int, int], name: str, task: int
) -> None:
    """Forward the smallest and the largest integer, for which an embedding may lack a row.

    This check runs on the CPU only, because on other devices a missing row ends the process.
    """
    low, high = extremes
    for number in extremes:
        tried = x.clone()
        tried.view(-1)[0] = number
        remedy = f"An embedding of these inputs needs {high + 1} rows, for 0..{high}."
        _try(model, tried, f"integers in {low}..{high} such as {number}", name, task, remedy)


def _try(
    model: nn.Module,
    x: Tensor,
    kind: object,
    name: str,
    task: int,
    remedy: str = "Convert them with a transform, or the model.",
) -> None:
    try:
        output = avalanche_forward(model, x, torch.tensor([task], device=x.device))
    except Exception as error:
        found, inputs = first_line(error)[:200], f"inputs of task {name!r}, which are {kind}"
        if isinstance(error, _OF_INPUTS):
            raise ValueError(f"`model` cannot take {inputs}: {found}. {remedy}") from error
        raised = type(error).__name__
        raise ValueError(f"`model` fails on {inputs}, with {raised}: {found}.") from error
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"`model` must return one tensor of logits, found {type(output).__name__}."
        )
