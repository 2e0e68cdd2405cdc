"""Tasks of a live stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .feeds import Feed
from .sources import Minibatch

__all__ = ["LiveTask", "TaskStatus"]


@dataclass(frozen=True)
class TaskStatus:
    """State of a task of a live stream at one time.

    :param name: name of the task.
    :param classes: class labels, ascending.
    :param is_active: whether its data have not ended.
    :param rounds: number of times that the task has been added.
    :param ticks: ticks at which it has delivered, in all rounds.
    :param samples: samples that it has delivered, in all rounds.
    :param skipped: ticks at which it was active and had nothing to deliver.
    """

    name: str
    classes: tuple[int, ...]
    is_active: bool
    rounds: int
    ticks: int
    samples: int
    skipped: int


@dataclass
class LiveTask:
    """A task of a live stream, whether it is active or has ended.

    :param name: name of the task.
    :param label: task label.
    :param classes: class labels.
    :param is_open: whether classes are taken from the data as they come.
    """

    name: str
    label: int
    classes: set[int]
    is_open: bool
    feed: Feed | None = None
    test: Any = None
    rounds: int = 0
    ticks: int = 0
    samples: int = 0
    skipped: int = 0
    is_late: bool = False
    """Whether it had no minibatch at the last tick; the stream then does not wait for it."""
    has_delivered: bool = False
    """Whether it has delivered in this round."""
    recent: deque[tuple[Tensor, Tensor]] = field(default_factory=deque)
    """The last minibatches ``(x, y)`` of this round."""

    def note(self, minibatch: Minibatch, labels: Tensor, limit: int) -> None:
        """Take down a minibatch that is delivered.

        :param labels: class labels ``[b]``.
        :param limit: number of recent samples to keep.
        """
        assert self.feed is not None
        self.feed.source.delivered(minibatch)
        self.ticks, self.samples = self.ticks + 1, self.samples + len(minibatch)
        self.has_delivered, self.is_late = True, False
        self.recent.append((minibatch.inputs, labels))
        number = sum(len(y) for _, y in self.recent)
        while number - len(self.recent[0][1]) >= limit:
            number -= len(self.recent.popleft()[1])

    def end(self) -> None:
        """End the task; counts and classes stay."""
        if self.feed is not None:
            self.feed.stop()
        self.feed = None

    def status(self) -> TaskStatus:
        """Return the state of the task now."""
        return TaskStatus(
            self.name,
            tuple(sorted(self.classes)),
            self.feed is not None,
            self.rounds,
            self.ticks,
            self.samples,
            self.skipped,
        )

    def recent_samples(self) -> Sequence[Tensor]:
        """Return the recent samples ``[x, y]``; empty without any."""
        if not self.recent:
            return torch.empty(0), torch.empty(0, dtype=torch.long)
        return [torch.cat(each) for each in zip(*self.recent, strict=True)]
