"""All tasks of a live stream, by label and by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .additions import Addition
from .feeds import Feed
from .state import restored_task, state_of_task
from .task import LiveTask

__all__ = ["LiveTasks"]


class LiveTasks(list[LiveTask]):
    """All tasks of a live stream, in the order of their labels."""

    @property
    def active(self) -> list[LiveTask]:
        """Tasks whose data have not ended."""
        return [task for task in self if task.feed is not None]

    @property
    def started(self) -> list[LiveTask]:
        """Tasks that have delivered."""
        return [task for task in self if task.samples]

    @property
    def names(self) -> list[str]:
        """Names of all tasks."""
        return [task.name for task in self]

    def named(self, name: str) -> LiveTask:
        """Return the task of a name.

        :param name: name of a task of the stream.
        :raises ValueError: if there is no such task.
        """
        for task in self:
            if task.name == name:
                return task
        raise ValueError(f"`name` must be one of the tasks {self.names}, found {name!r}.")

    def start(self, addition: Addition, feed: Feed, *, has_delivered: bool) -> LiveTask:
        """Start a task, or a further round of a task that has ended.

        :param addition: addition by the stream's user.
        :param feed: minibatches of its source.
        :param has_delivered: whether an earlier process has delivered some of this round.
        """
        if addition.name not in self.names:
            self.append(LiveTask(addition.name, len(self), set(), False))
        task = self.named(addition.name)
        task.classes |= addition.classes
        task.is_open = addition.is_open
        task.feed, task.has_delivered = feed, has_delivered
        task.rounds += 1
        task.is_late = False
        task.recent.clear()
        return task

    def end_rounds(self) -> None:
        """Drop the recent samples of tasks that have ended."""
        for task in self:
            if task.feed is None and task.recent:
                task.recent.clear()

    def states(self) -> list[dict[str, Any]]:
        """Return the states of all tasks, as numbers and text."""
        return [state_of_task(task) for task in self]

    def restore(self, states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Add the tasks of a saved stream, which have no data yet.

        :param states: states of :meth:`states`.
        :return: states of the sources of the tasks that were active, by name.
        """
        self += [restored_task(state, label) for label, state in enumerate(states)]
        return {state["name"]: state["source"] for state in states if state["is_active"]}
