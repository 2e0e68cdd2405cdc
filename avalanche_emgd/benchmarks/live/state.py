"""States of a live stream and of its tasks, as numbers and text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .task import LiveTask

__all__ = ["check_added", "restored_task", "state_of_stream", "state_of_task"]

_COUNTS = ("rounds", "ticks", "samples", "skipped")


def state_of_task(task: LiveTask) -> dict[str, Any]:
    """Return the state of a task."""
    return {
        "name": task.name,
        "classes": sorted(task.classes),
        "is_active": task.feed is not None,
        "source": {} if task.feed is None else task.feed.source.state_dict(),
        **{name: getattr(task, name) for name in _COUNTS},
    }


def restored_task(state: Mapping[str, Any], label: int) -> LiveTask:
    """Make the task of a state, which has no data yet.

    :param label: task label.
    """
    task = LiveTask(str(state["name"]), label, set(state["classes"]), False)
    for name in _COUNTS:
        setattr(task, name, int(state[name]))
    task.rounds -= bool(state["is_active"])  # counted when its data are added again
    return task


def state_of_stream(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Find the state of a stream.

    :param state: state of a stream, or of a strategy that was being trained on one.
    :raises ValueError: if it is of something else.
    """
    loader = state.get("loader")
    found = loader["stream"] if isinstance(loader, Mapping) and "stream" in loader else state
    if "identity" not in found:
        raise ValueError(
            "`state` must be that of a LiveStream, or of a strategy in the middle of one."
        )
    return found


def check_added(state: Mapping[str, Any], waiting: Collection[str]) -> list[str]:
    """Check that the active tasks of a state have been added again, and return their names.

    :param state: state of a stream.
    :param waiting: names of the tasks that are to start.
    :raises ValueError: if a task is missing; the message names it.
    """
    names = [each["name"] for each in state["tasks"] if each["is_active"]]
    missing = sorted(set(names) - set(waiting))
    if missing:
        raise ValueError(
            f"The tasks {missing} were active when the state was saved: add them again with "
            "add_task(), because their data are not in the state."
        )
    return names
