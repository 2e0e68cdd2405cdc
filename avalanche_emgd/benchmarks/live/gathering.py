"""The minibatches that the tasks of a live stream have ready for its next tick."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from ..._text_files import first_line
from ..loader import Part
from .additions import Additions
from .segment import LiveBatch, stored_rows
from .sources import Minibatch
from .task import LiveTask
from .tasks import LiveTasks
from .waiting import Interruption, taken

__all__ = ["Gathering"]

_LOG = logging.getLogger(__name__)


class Gathering:
    """Minibatches of the next tick, one of each active task that has one.

    :param additions: queue of the stream, which numbers class labels and has the active tasks.
    """

    def __init__(self, additions: Additions) -> None:
        self._additions = additions
        self._ready: dict[str, tuple[Minibatch, Tensor]] = {}  # with class labels, by task
        self._kind: tuple[tuple[int, ...], torch.dtype] | None = None
        # Labels of tasks that have ended; they outlast an error of a task's data.
        self._ended: list[int] = []
        self.num_dropped = 0
        """Number of samples in last minibatches that were too small."""

    def __len__(self) -> int:
        return len(self._ready)

    def gather(
        self,
        tasks: Sequence[LiveTask],
        max_wait: float,
        smallest: int,
        interruption: Interruption,
    ) -> list[int]:
        """Take a minibatch from each active task that has one; return the tasks that end.

        :param tasks: active tasks.
        :param max_wait: longest time to wait for all of them, in seconds.
        :param smallest: fewest samples of a minibatch; a smaller one is dropped.
        :param interruption: request that ends the waiting.
        :return: labels of the tasks that have delivered before and now end.
        :raises RuntimeError: if the data of a task cannot be used.
        """
        deadline = time.monotonic() + max_wait
        for task in tasks:
            if task.name in self._ready:
                continue
            assert task.feed is not None
            wait = 0.0 if task.is_late else max(0.0, deadline - time.monotonic())
            try:
                minibatch = taken(task.feed, wait, interruption)
                if minibatch is not None and len(minibatch) >= smallest:
                    self._ready[task.name] = minibatch, self._labels_of(task, minibatch)
                    continue
            except Exception as error:
                self._end(task)
                raise RuntimeError(
                    f"The data of task {task.name!r} cannot be used: {first_line(error)[:300]}"
                ) from error
            if minibatch is not None:
                self.num_dropped += len(minibatch)
                _LOG.warning("task %r: a last minibatch of one sample is dropped", task.name)
            if not task.feed.ended:
                task.is_late = minibatch is None and not interruption.is_asked()
                continue
            if not task.has_delivered:
                _LOG.warning("task %r has ended without a sample", task.name)
            self._end(task)
        ended, self._ended = self._ended, []
        return ended

    def _end(self, task: LiveTask) -> None:
        if task.has_delivered:
            self._ended.append(task.label)
        task.end()
        self._additions.ended(task.name)
        _LOG.info("%s", task.status())

    def _labels_of(self, task: LiveTask, minibatch: Minibatch) -> Tensor:
        kind = tuple(minibatch.inputs.shape[1:]), minibatch.inputs.dtype
        if self._kind is None:
            self._kind = kind
        if kind != self._kind or len(minibatch.inputs) != len(minibatch):
            raise ValueError(
                f"its inputs are {kind[1]} {list(kind[0])}, those of the stream {self._kind[1]} "
                f"{list(self._kind[0])}"
            )
        labels = [self._additions.number_of(label) for label in minibatch.labels]
        if not task.is_open and not task.classes.issuperset(labels):
            strange = next(
                raw
                for raw, label in zip(minibatch.labels, labels, strict=True)
                if label not in task.classes
            )
            raise ValueError(
                f"a sample has the label {strange!r}, which is not among its `classes`"
            )
        return torch.tensor(labels)

    def has_new_classes(self, tasks: LiveTasks) -> bool:
        """Whether an open task is about to deliver a class that it has not had.

        :param tasks: all tasks.
        """
        return any(
            not task.classes.issuperset(self._ready[task.name][1].tolist())
            for task in tasks
            if task.is_open and task.name in self._ready
        )

    def extend_classes(self, tasks: LiveTasks) -> None:
        """Add the classes that tasks are about to deliver to those of the tasks.

        :param tasks: all tasks.
        """
        for name, (_, labels) in self._ready.items():
            tasks.named(name).classes.update(labels.tolist())

    def deliver(self, tasks: Sequence[LiveTask], tick: int, recent: int) -> LiveBatch:
        """Join the minibatches into that of a tick, and count them.

        :param tasks: active tasks, of which one at least is ready.
        :param tick: number of the tick.
        :param recent: number of recent samples that each task keeps.
        """
        parts, columns, offers, start = [], [], {}, 0
        for task in tasks:
            if task.name not in self._ready:
                task.skipped += 1
                if task.skipped == 1:
                    _LOG.info("task %r has nothing at tick %d", task.name, tick)
                continue
            minibatch, labels = self._ready.pop(task.name)
            task.note(minibatch, labels, recent)
            parts.append(Part(task.name, start, start + len(labels)))
            start += len(labels)
            columns.append([minibatch.inputs, labels, torch.full_like(labels, task.label)])
            offers[task.name] = labels, minibatch.stored or stored_rows(minibatch.inputs)
        tensors = [torch.cat(each) for each in zip(*columns, strict=True)]
        return LiveBatch(tensors, parts, tick, offers)
