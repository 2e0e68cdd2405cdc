"""Segments of a live stream, their minibatches and their loader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor
from torch.utils.data import TensorDataset

from ..datasets import with_labels
from ..experience import ParallelExperience, SegmentExperience
from ..loader import Part, TickBatch
from .benchmark import LiveBenchmark
from .task import LiveTask

__all__ = ["LiveBatch", "LiveSegment", "LiveTickLoader", "stored_rows"]


Offer = tuple[Tensor, Callable[[Tensor], Tensor]]


class LiveBatch(TickBatch):
    """Minibatch of one tick of a live stream.

    :param tensors: tensors ``[x, y, task labels]`` of all tasks, concatenated.
    :param parts: parts of the tasks.
    :param tick: number of the tick, from the start of the stream.
    :param offers: class labels ``[b]`` of each task on the CPU, and a function for each task. The
        function maps positions ``[m]`` of samples to the inputs that a replay memory keeps.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        parts: Sequence[Part],
        tick: int,
        offers: Mapping[str, Offer],
    ) -> None:
        super().__init__(tensors, parts, tick)
        self.offers = dict(offers)


class StreamOfSegments(Protocol):
    """What a segment uses of its stream."""

    benchmark: LiveBenchmark

    def next_tick(self, segment: LiveSegment) -> LiveBatch | None:
        """Return the minibatch of a segment's next tick; ``None`` at its end."""

    def state_dict(self) -> dict[str, Any]:
        """Return what the stream has delivered."""


class LiveSegment(SegmentExperience):
    """A segment of a live stream, which ends when a task is added or ends.

    Its number of ticks is known at its end, and so are :attr:`finishing_tasks`. Its data set has
    the *recent* samples of its active tasks, because a segment may be longer than any memory.
    """

    def __init__(
        self,
        stream: StreamOfSegments,
        active: Sequence[LiveTask],
        started: Sequence[LiveTask],
        start: int,
        index: int,
    ) -> None:
        benchmark, tasks = stream.benchmark, tuple(task.label for task in active)
        ParallelExperience.__init__(self, AvalancheDataset([]), benchmark, tasks, index)
        self._origin_stream = benchmark.train_origin
        self._tasks = list(active)
        self.stream = stream
        """Stream of the segment."""
        self.active_tasks: tuple[int, ...] = tasks
        before = [task.label for task in started]
        self.starting_tasks: tuple[int, ...] = tuple(t for t in tasks if t not in before)
        self.finishing_tasks: tuple[int, ...] = ()
        self.ticks: range = range(start, start)
        """Ticks of the segment so far."""
        self.started_tasks: tuple[int, ...] = tuple(sorted({*before, *tasks}))
        self.previous_classes: list[int] = sorted(set().union(*(t.classes for t in started)))
        self.classes_seen_so_far: list[int] = sorted(
            {*self.previous_classes, *self.classes_in_this_experience}
        )
        self.future_classes: list[int] = []
        self.deliveries = ()
        self.sample_ids = ()
        self.is_over = False
        """Whether the segment has ended."""

    def __repr__(self) -> str:
        names = ", ".join(task.name for task in self._tasks)
        return f"LiveSegment(from tick {self.ticks.start}, {len(self.ticks)} ticks of {names})"

    @property
    def dataset(self) -> AvalancheDataset:
        """Recent samples of the active tasks, task by task."""
        parts = []
        for task in self._tasks:
            x, y = task.recent_samples()
            if len(y):
                parts.append(with_labels(TensorDataset(x, y), y.tolist(), task.label))
        return AvalancheDataset(parts) if parts else AvalancheDataset([])

    @property
    def labels(self) -> Tensor:
        """Class labels of the recent samples, ``[N]``."""
        return torch.cat([task.recent_samples()[1] for task in self._tasks])

    @property
    def is_last(self) -> bool:
        """Never known."""
        return False

    def delivered(self, task: int) -> Tensor:
        """Return the indices in the data set of a task's recent samples, ``[b]``.

        :param task: task label.
        :raises ValueError: if the task is not active in this segment.
        """
        start = 0
        for each in self._tasks:
            number = sum(len(y) for _, y in each.recent)
            if each.label == task:
                return torch.arange(start, start + number)
            start += number
        raise ValueError(
            f"`task` must be one of the segment's active tasks {self.active_tasks}, found {task!r}."
        )

    def inputs_at(self, indices: Tensor) -> Tensor:
        """Load inputs ``[b, ...]`` of recent samples.

        :param indices: indices of samples in the data set, ``[b]``.
        """
        return torch.cat([t.recent_samples()[0] for t in self._tasks if t.recent])[indices]

    def state_dict(self) -> dict[str, Any]:
        """Return number, ticks, tasks and recent samples."""
        before = set(self.started_tasks) - set(self.starting_tasks)
        return {
            "number": self.current_experience,
            "ticks": [self.ticks.start, self.ticks.stop],
            "active": list(self.active_tasks),
            "started": sorted(before),
            "recent": [list(task.recent_samples()) for task in self._tasks],
        }

    @classmethod
    def restored(
        cls, stream: StreamOfSegments, tasks: Sequence[LiveTask], state: Mapping[str, Any]
    ) -> LiveSegment:
        """Make the segment of a state of :meth:`state_dict`.

        :param stream: stream of the segment.
        :param tasks: all tasks, in the order of their labels.
        :param state: state of the segment.
        """
        active, started = ([tasks[label] for label in state[key]] for key in ("active", "started"))
        first, stop = state["ticks"]
        segment = cls(stream, active, started, first, state["number"])
        segment.ticks = range(first, stop)
        for task, (x, y) in zip(active, state["recent"], strict=True):
            if len(y):
                task.recent.append((x, y))
        return segment

    def finish(self, tasks: Sequence[int]) -> None:
        """End the segment.

        :param tasks: labels of the tasks that end with it.
        """
        self.is_over = True
        self.finishing_tasks = tuple(sorted({*self.finishing_tasks, *tasks}))

    def next_tick(self) -> LiveBatch | None:
        """Return the minibatch of the next tick; ``None`` at the end of the segment."""
        return None if self.is_over else self.stream.next_tick(self)


class LiveTickLoader:
    """Loader of the ticks of a live segment.

    :param segment: the segment.
    :param is_stopped: function that says whether the training is to end.
    """

    def __init__(self, segment: LiveSegment, is_stopped: Callable[[], bool]) -> None:
        self._segment = segment
        self._is_stopped = is_stopped

    def __len__(self) -> int:
        return len(self._segment.ticks)  # so far

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the stream, see ``LiveStream.state_dict``."""
        return {"stream": self._segment.stream.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Check that the stream is where it was when the state was saved.

        :raises ValueError: if it is not.
        """
        then, now = state["stream"]["tick"], self._segment.ticks.stop
        if then != now:
            raise ValueError(
                f"`state` is of tick {then}, but the stream is at tick {now}: load the state of "
                "the stream, too, before training."
            )

    def ticks_from(self, start: int) -> Iterator[LiveBatch]:
        """Yield the ticks that are left of a segment that continues.

        :param start: number of ticks that are done; the stream has left them out already.
        """
        return iter(self)

    def __iter__(self) -> Iterator[LiveBatch]:
        while not self._is_stopped():
            batch = self._segment.next_tick()
            if batch is None:
                return
            yield batch


def stored_rows(inputs: Tensor) -> Callable[[Tensor], Tensor]:
    """Make the function that selects rows of inputs, for :class:`LiveBatch`."""

    def rows(positions: Tensor) -> Tensor:
        return inputs[positions]

    return rows
