"""Checks of the generators' arguments, before any data are loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from avalanche.benchmarks.utils import AvalancheDataset
from torch.utils.data import Dataset

from .._numbers import is_whole
from .scenario import Scenario
from .timeline import Timeline

__all__ = [
    "check_datasets",
    "check_scenario",
    "check_settings",
    "checked_class_names",
    "checked_task_names",
]


def check_settings(
    timeline: Any, batch_size: Any, epochs: Any, seed: Any, scenario: Any, relabel: Any
) -> None:
    """Check the arguments other than the data.

    :raises ValueError: if an argument is invalid; the message names it and its value.
    """
    if not isinstance(timeline, Timeline):
        raise ValueError(
            f"`timeline` must be a Timeline, found {str(timeline)[:60]!r}: make one with "
            "Timeline(spans) or Timeline.overlapping(lengths, overlap)."
        )
    for name, value in (("batch_size", batch_size), ("epochs", epochs)):
        if not is_whole(value):
            raise ValueError(f"`{name}` must be an integer, found {value!r}.")
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, found {value!r}.")
    if not is_whole(seed) or not -(2**63) <= seed < 2**63:
        raise ValueError(f"`seed` must be an integer of 64 bits, found {seed!r}.")
    check_scenario(scenario)
    if not isinstance(relabel, bool):
        raise ValueError(f"`relabel` must be True or False, found {relabel!r}.")


def check_scenario(scenario: Any) -> None:
    """Check that a scenario is ``"task"`` or ``"class"``.

    :raises ValueError: if it is not.
    """
    if scenario not in get_args(Scenario):
        raise ValueError(f"`scenario` must be 'task' or 'class', found {scenario!r}.")


def check_datasets(datasets: Any, name: str, num_tasks: int) -> None:
    """Check that there is one data set per task.

    :param datasets: sequence of data sets.
    :param name: name of the argument, for error messages.
    :param num_tasks: number of tasks.
    :raises ValueError: if ``datasets`` is not a sequence, or has another length.
    """
    one = isinstance(datasets, (Dataset, AvalancheDataset, str))
    if one or not (hasattr(datasets, "__len__") and hasattr(datasets, "__iter__")):
        raise ValueError(
            f"`{name}` must be a list of data sets, one per task, found {type(datasets).__name__}."
        )
    if len(datasets) != num_tasks:
        raise ValueError(
            f"`{name}` must have one data set for each of the {num_tasks} tasks of "
            f"`timeline`, found {len(datasets)}."
        )


def checked_task_names(task_names: Sequence[str] | None, num_tasks: int) -> tuple[str, ...]:
    """Return the names of all tasks; ``task0``, ``task1``, ... by default.

    :raises ValueError: if the names are not distinct strings, or one starts with ``memory``, the
        name of the replay memory.
    """
    if task_names is None:
        return tuple(f"task{task}" for task in range(num_tasks))
    names = [task_names] if isinstance(task_names, str) else list(task_names)
    texts = not isinstance(task_names, str) and all(isinstance(name, str) for name in names)
    if not texts or len(names) != num_tasks or len(set(names)) != num_tasks:
        raise ValueError(f"`task_names` must be {num_tasks} distinct names, found {names!r}.")
    reserved = [name for name in names if name.startswith("memory")]
    if reserved:
        raise ValueError(
            f"`task_names` must not start with 'memory', the name of the replay memory, "
            f"found {reserved[0]!r}."
        )
    return tuple(names)


def checked_class_names(class_names: Any) -> dict[int, str] | None:
    """Return the names of classes by label; a list names the labels 0, 1, 2, ...

    :raises ValueError: if ``class_names`` is neither a mapping nor a list.
    """
    if class_names is None:
        return None
    if isinstance(class_names, (list, tuple)):
        return {label: str(name) for label, name in enumerate(class_names)}
    if not isinstance(class_names, Mapping):
        raise ValueError(
            "`class_names` must map labels to names, or list the names of 0, 1, 2, ..., found "
            f"{type(class_names).__name__}."
        )
    return {label: str(name) for label, name in class_names.items()}
