"""State of the tasks of a live stream, as numbers and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .task import LiveTask

__all__ = ["restored_task", "state_of_task"]

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
