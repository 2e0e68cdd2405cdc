"""Streams without an end: tasks are added while training runs, and end when their data end."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import torch
from avalanche.benchmarks.scenarios import EagerCLStream
from torch import Tensor

from ..._text_files import first_line
from ..._whole_numbers import is_whole
from ..loader import Part
from ..scenario import Scenario
from .additions import Addition, Additions
from .benchmark import LiveBenchmark
from .feeds import feed_of
from .segment import LiveBatch, LiveSegment, stored_rows
from .sources import Minibatch
from .state import restored_task, state_of_task
from .task import LiveTask, TaskStatus

__all__ = ["LiveStream"]

_LOG = logging.getLogger(__name__)
_NAP = 0.01  # seconds between two looks at sources while none has data
_PATIENCE = 10.0  # seconds without data after which a warning says what the stream waits for


class LiveStream:
    """Stream of tasks that come and go, for ``strategy.train(stream)``.

    Tasks are added by :meth:`add_task`, before or during training, from any thread or callback.
    They end when their data end. At each tick every active task delivers one minibatch. A segment,
    which is one Avalanche experience, ends when a task is added or ends. Neither the time line nor
    the number of classes is known beforehand: heads of the model grow between segments.

    The stream ends when all tasks have ended after :meth:`close`. ``train`` returns then, or after
    :meth:`stop`; a stopped stream can be trained on further.

    A source that has nothing at a tick is waited for ``max_wait`` seconds at most, and skipped at
    this tick. It is not waited for again before it has delivered. Its samples come in whole
    minibatches; only the last minibatch of a task may be smaller.

    The stream keeps counts, classes and test data of each task, and the last ``recent`` samples of
    each active task. Nothing in it grows with the number of ticks.

    :param scenario: ``"task"`` or ``"class"``, see
        :class:`~avalanche_emgd.benchmarks.ParallelBenchmark`.
    :param batch_size: samples of each task at each tick, ≥ 1.
    :param seed: seed of the order of samples in map-style data sets.
    :param max_wait: longest time that a tick waits for sources, in seconds, ≥ 0.
    :param max_idle: longest time without any data, in seconds; training then returns with a
        warning. Without limit if ``None``.
    :param recent: number of recent samples of each active task that segments show as their data
        set, ≥ 1.
    :raises ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        *,
        scenario: Scenario = "class",
        batch_size: int = 32,
        seed: int = 0,
        max_wait: float = 1.0,
        max_idle: float | None = None,
        recent: int = 256,
    ) -> None:
        if scenario not in get_args(Scenario):
            raise ValueError(f"`scenario` must be 'task' or 'class', found {scenario!r}.")
        for name, value, low in (("batch_size", batch_size, 1), ("recent", recent, 1)):
            if not is_whole(value) or value < low:
                raise ValueError(f"`{name}` must be a whole number ≥ {low}, found {value!r}.")
        for name, seconds in (("max_wait", max_wait), ("max_idle", max_idle)):
            if seconds is not None and not seconds >= 0.0:
                raise ValueError(f"`{name}` must be at least 0 seconds, found {seconds!r}.")
        self.benchmark = LiveBenchmark(scenario, batch_size)
        """Tasks and classes so far."""
        self.tick = 0
        """Number of ticks that have been delivered."""
        self.num_segments = 0
        """Number of segments that have begun."""
        self.smallest = 1
        """Fewest samples that a task may deliver at a tick; a smaller last minibatch is dropped.
        Strategies set it to 2 for models that cannot be trained on a single sample."""
        self.num_dropped = 0
        """Number of samples in last minibatches that were too small."""
        self.max_wait, self.max_idle, self.recent = max_wait, max_idle, recent
        self._additions = Additions(self.benchmark, seed)
        self._tasks: list[LiveTask] = []  # in the order of their labels
        self._ready: dict[str, tuple[Minibatch, Tensor]] = {}
        self._segment: LiveSegment | None = None
        self._resumed: Mapping[str, Any] | None = None  # state that was loaded
        self._kind: tuple[tuple[int, ...], torch.dtype] | None = None
        self._is_stopped = False
        self._run = object()  # of the last iteration, which ends those before

    def __repr__(self) -> str:
        active = [task.name for task in self._tasks if task.feed is not None]
        return f"LiveStream(tick {self.tick}, {len(self._tasks)} tasks, active: {active})"

    # Tasks

    def add_task(
        self,
        data: Any,
        *,
        classes: Sequence[int | str] | None = None,
        name: str | None = None,
        test: Any = None,
        epochs: int = 1,
        shuffle: bool = True,
    ) -> str:
        """Add a task; it starts at the next tick. A task that has ended may be added again.

        Class labels are whole numbers, which are the model's outputs, or text, which is numbered in
        the order of appearance. A stream has one or the other.

        :param data: a torch or Avalanche data set of ``(x, y, ...)``, an ``IterableDataset``, a
            ``DataLoader``, any other iterable of ``(x, y)``, or a :class:`LiveSource` such as
            :class:`FolderSource`.
        :param classes: labels of the task. If omitted, they are those of a map-style data set, and
            of other data they are taken as they come.
        :param name: name of the task; ``task0``, ``task1`` ... if omitted. A task that has ended
            returns if its name is given: its label, and what is kept of it, are found again.
        :param test: map-style data set with the test samples; those given before if omitted.
        :param epochs: passes over a map-style data set, ≥ 1.
        :param shuffle: whether to shuffle a map-style data set.
        :return: name of the task.
        :raises ValueError: if an argument cannot be used, the task is active, or the stream is
            closed.
        """
        return self._additions.add(
            data, classes=classes, name=name, test=test, epochs=epochs, shuffle=shuffle
        )

    def set_test(self, name: str, test: Any) -> None:
        """Set the test samples of a task, for example of one that has ended before a restart.

        :param name: name of a task that has started.
        :param test: see :meth:`add_task`.
        :raises ValueError: if there is no such task, or the samples cannot be used.
        """
        task = next((task for task in self._tasks if task.name == name), None)
        if task is None:
            known = [task.name for task in self._tasks]
            raise ValueError(f"`name` must be one of the tasks {known}, found {name!r}.")
        self.benchmark.set_test(task, *self._additions.examined(test, name))

    def close(self) -> None:
        """Add no further tasks: the stream ends when all tasks have ended."""
        self._additions.close()

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` has been called."""
        return self._additions.is_closed

    def stop(self) -> None:
        """Make ``train`` return after the current tick; the stream can be trained on further."""
        self._is_stopped = True

    @property
    def has_ended(self) -> bool:
        """Whether the stream is closed and all tasks have ended."""
        return self.is_closed and not self._additions.waiting and not self._active()

    @property
    def tasks(self) -> tuple[TaskStatus, ...]:
        """State of all tasks, in the order of their labels."""
        return tuple(task.status() for task in self._tasks)

    @property
    def test_stream(self) -> EagerCLStream:
        """Test samples of the tasks that have started, one experience for each, for ``eval``."""
        return self.benchmark.tests(self._tasks)

    # Segments

    def __iter__(self) -> Iterator[LiveSegment]:
        """Yield segments until the stream has ended or is stopped."""
        self._is_stopped, self._run = False, object()
        run = self._run
        while self._run is run and (segment := self._next_segment()) is not None:
            yield segment
            segment.is_over = True

    def _active(self) -> list[LiveTask]:
        return [task for task in self._tasks if task.feed is not None]

    def _next_segment(self) -> LiveSegment | None:
        if self._resumed is not None:
            return self._reopened()
        for task in self._tasks:
            if task.feed is None and task.recent:
                task.recent.clear()
        waits = _Waiting(self)
        while True:
            if self._is_stopped:
                return None
            for addition in self._additions.take():
                self._start(addition)
            finishing = self._gather()
            if self._ready or finishing:
                break
            if self.has_ended or waits.is_over():
                return None
        self._extend_classes()
        active = [t for t in self._tasks if t.feed is not None or t.label in finishing]
        started = [task for task in self._tasks if task.samples]
        self._segment = LiveSegment(self, active, started, self.tick, self.num_segments)
        self.num_segments += 1
        if finishing:  # these had nothing to deliver: no tick belongs to their last segment
            self._finish(self._segment, finishing)
        return self._segment

    def next_tick(self, segment: LiveSegment) -> LiveBatch | None:
        """Return the minibatch of the next tick of a segment; ``None`` if it ends here.

        :param segment: segment of the stream; only the latest one has further ticks.
        """
        if segment is not self._segment:
            return None
        waits = _Waiting(self)
        if self._is_stopped:
            segment.is_over = True
            return None
        while not (self._ready and len(segment.ticks) == 0):
            finishing = self._gather()
            if finishing:
                self._finish(segment, finishing)
            if self._additions.waiting or self._has_new_classes():
                segment.is_over = True
            if segment.is_over:
                return None
            if self._ready:
                break
            if self._is_stopped or waits.is_over():
                segment.is_over = True
                return None
        return self._deliver(segment)

    def _finish(self, segment: LiveSegment, tasks: Sequence[int]) -> None:
        segment.is_over = True
        segment.finishing_tasks = tuple(sorted({*segment.finishing_tasks, *tasks}))

    def _extend_classes(self) -> None:
        """Take new classes of open tasks, and show all tasks in the benchmark."""
        for name, (_, labels) in self._ready.items():
            next(t for t in self._tasks if t.name == name).classes.update(labels.tolist())
        self.benchmark.update(self._tasks)
        self.benchmark.class_names = self._additions.class_names

    def _start(self, addition: Addition) -> None:
        task = next((task for task in self._tasks if task.name == addition.name), None)
        if task is None:
            task = LiveTask(addition.name, len(self._tasks), set(), False)
            self._tasks.append(task)
        task.classes |= addition.classes
        task.is_open = addition.is_open
        if addition.test is not None:
            self.benchmark.set_test(task, *addition.test)
        task.has_delivered = self._additions.restore(addition)
        task.feed = feed_of(addition.source, self.benchmark.batch_size)
        task.rounds += 1
        task.is_late = False
        task.recent.clear()

    def _gather(self) -> list[int]:
        """Take a minibatch from each active task that has one; return the tasks that end."""
        deadline = time.monotonic() + self.max_wait
        ended = []
        for task in self._active():
            if task.name in self._ready:
                continue
            assert task.feed is not None
            wait = 0.0 if task.is_late else max(0.0, deadline - time.monotonic())
            try:
                minibatch = task.feed.take(wait)
                if minibatch is not None and len(minibatch) >= self.smallest:
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
                task.is_late = minibatch is None
                continue
            has_delivered = task.has_delivered
            self._end(task)
            if has_delivered:
                ended.append(task.label)
            else:
                _LOG.warning("task %r has ended without a sample", task.name)
        return ended

    def _end(self, task: LiveTask) -> None:
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

    def _has_new_classes(self) -> bool:
        return any(
            not task.classes.issuperset(self._ready[task.name][1].tolist())
            for task in self._tasks
            if task.is_open and task.name in self._ready
        )

    def _deliver(self, segment: LiveSegment) -> LiveBatch:
        parts, columns, offers, start = [], [], {}, 0
        for task in self._active():
            if task.name not in self._ready:
                task.skipped += 1
                if task.skipped == 1:
                    _LOG.info("task %r has nothing at tick %d", task.name, self.tick)
                continue
            minibatch, labels = self._ready.pop(task.name)
            task.note(minibatch, labels, self.recent)
            parts.append(Part(task.name, start, start + len(labels)))
            start += len(labels)
            columns.append([minibatch.inputs, labels, torch.full_like(labels, task.label)])
            offers[task.name] = labels, minibatch.stored or stored_rows(minibatch.inputs)
        tensors = [torch.cat(each) for each in zip(*columns, strict=True)]
        batch = LiveBatch(tensors, parts, self.tick, offers)
        self.tick += 1
        segment.ticks = range(segment.ticks.start, self.tick)
        return batch

    # State

    def state_dict(self) -> dict[str, Any]:
        """Return what the stream has delivered, as numbers and text.

        Data are not in the state. Minibatches that are read ahead count as not delivered.
        """
        is_over = self._segment is None or self._segment.is_over
        return {
            "identity": self.benchmark.identity,
            "tick": self.tick,
            "num_segments": self.num_segments,
            "num_dropped": self.num_dropped,
            "num_classes": self.benchmark.num_classes,
            "class_names": dict(self._additions.class_names),
            "tasks": [state_of_task(task) for task in self._tasks],
            "waiting": self._additions.waiting_names,
            "segment": None if is_over else self._segment.state_dict(),  # type: ignore[union-attr]
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> list[str]:
        """Continue the stream of an earlier process.

        Load the state into a new stream, then add the active tasks again, with the same data. What
        was delivered before is skipped, where the data can; otherwise a warning says what is lost.

        :param state: state of :meth:`state_dict`, or of a strategy that was being trained on the
            stream.
        :return: names of the tasks that were active or about to start, and have to be added again.
        :raises ValueError: if the stream is not new, or the state is of something else.
        """
        loader = state.get("loader")
        state = loader["stream"] if isinstance(loader, Mapping) and "stream" in loader else state
        if "identity" not in state:
            raise ValueError(
                "`state` must be that of a LiveStream, or of a strategy in the middle of one."
            )
        if self._tasks or self._additions.waiting:
            raise ValueError("`state` is for a new stream, but this one has tasks already.")
        self.benchmark.restore(state["identity"])
        self.tick, self.num_segments = int(state["tick"]), int(state["num_segments"])
        self.num_dropped = int(state["num_dropped"])
        self._tasks = [restored_task(each, k) for k, each in enumerate(state["tasks"])]
        active = {each["name"]: each["source"] for each in state["tasks"] if each["is_active"]}
        self._additions.resume(self._tasks, state["class_names"], active)
        self.benchmark.num_classes = int(state["num_classes"])
        self.benchmark.update(self._tasks)
        self.benchmark.class_names = self._additions.class_names
        self._resumed = state
        return [*active, *state["waiting"]]

    def _reopened(self) -> LiveSegment | None:
        """Begin where an earlier process has saved its state, within a segment or between two."""
        state, self._resumed = self._resumed, None
        assert state is not None
        names = [each["name"] for each in state["tasks"] if each["is_active"]]
        missing = sorted(set(names) - set(self._additions.waiting_names))
        if missing:
            self._resumed = state
            raise ValueError(
                f"The tasks {missing} were active when the state was saved: add them again with "
                "add_task(), because their data are not in the state."
            )
        open_ = state["segment"]
        if open_ is None:
            return self._next_segment()
        for addition in self._additions.take(names):
            self._start(addition)
        active, started = ([self._tasks[t] for t in open_[key]] for key in ("active", "started"))
        first, stop = open_["ticks"]
        self._segment = segment = LiveSegment(self, active, started, first, open_["number"])
        segment.ticks = range(first, stop)
        for task, (x, y) in zip(active, open_["recent"], strict=True):
            if len(y):
                task.recent.append((x, y))
        return segment


class _Waiting:
    """Short naps while no source has data, and an end to them."""

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream
        self._start = time.monotonic()
        self._has_warned = False

    def is_over(self) -> bool:
        """Wait a moment; return whether the stream has been idle for too long."""
        stream, idle = self._stream, time.monotonic() - self._start
        if stream.max_idle is not None and idle > stream.max_idle:
            warnings.warn(
                f"no task has delivered for {stream.max_idle:g} seconds (`max_idle`), so training "
                "returns; the stream can be trained on further.",
                stacklevel=5,
            )
            return True
        if idle > _PATIENCE and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"no task has delivered for {_PATIENCE:g} seconds: the stream waits for data, for "
                "add_task(), or for close().",
                stacklevel=5,
            )
        time.sleep(_NAP)
        return False
