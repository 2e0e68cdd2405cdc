"""All tasks of a live stream, by label and by name."""

from __future__ import annotations

from .additions import Addition
from .feeds import Feed
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
        """Return the task of a name."""
        return next(task for task in self if task.name == name)

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
