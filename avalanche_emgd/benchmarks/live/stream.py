"""Streams without an end: tasks are added while training runs, and end when their data end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from avalanche.benchmarks.scenarios import EagerCLStream

from ..._numbers import check_whole, is_whole
from ..scenario import Scenario
from ..sizes import Sizes
from .additions import Addition, Additions
from .benchmark import LiveBenchmark
from .feeds import feed_of
from .gathering import Gathering
from .seconds import check_seconds
from .segment import LiveBatch, LiveSegment
from .state import check_added, state_of_stream
from .task import TaskStatus
from .tasks import LiveTasks
from .waiting import Interruption, Waiting

__all__ = ["LiveStream"]


class LiveStream:
    """Stream of tasks that come and go, for ``strategy.train(stream)``.

    The method :meth:`add_task` adds a task, before or during training, from any thread or callback.
    A task ends when its data end. At each tick every active task delivers one minibatch. A segment,
    which is one Avalanche experience, ends when a task is added or ends. Neither the time line nor
    the number of classes is known beforehand: heads of the model grow between segments.

    The stream ends when all tasks have ended after :meth:`close`. ``train`` returns then, or after
    :meth:`stop`; a stopped stream can be trained on further.

    The stream waits at most ``max_wait`` seconds for a source that has nothing at a tick, and then
    skips it at this tick. It does not wait for this source again before it has delivered. Samples
    come in whole minibatches; only the last minibatch of a task may be smaller.

    The stream keeps counts, classes and test data of each task, and the last ``recent`` samples of
    each active task. Nothing in it grows with the number of ticks.

    :param scenario: scenario, ``"task"`` or ``"class"``, see
        :class:`~avalanche_emgd.benchmarks.ParallelBenchmark`.
    :param batch_size: samples of each task at each tick, ≥ 1; 32 by default.
    :param seed: seed of the order of samples in map-style data sets.
    :param max_wait: longest time that a tick waits for sources, in [0, 1e6] seconds.
    :param max_idle: longest time without any data, in [0, 1e6] seconds; training then returns with
        a warning. Without limit if ``None``.
    :param recent: number of recent samples of each active task that segments show as their data
        set, ≥ 1.
    :raises ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        *,
        scenario: Scenario = "class",
        batch_size: int = Sizes.batch_size,
        seed: int = 0,
        max_wait: float = 1.0,
        max_idle: float | None = None,
        recent: int = 256,
    ) -> None:
        self.benchmark = LiveBenchmark(scenario, batch_size)
        """Tasks and classes so far."""
        check_whole("recent", recent, 1)
        check_seconds("max_wait", max_wait)
        if max_idle is not None:
            check_seconds("max_idle", max_idle)
        if not is_whole(seed):
            raise ValueError(f"`seed` must be a whole number, found {seed!r}.")
        self.tick = 0
        """Number of ticks that have been delivered."""
        self.num_segments = 0
        """Number of segments that have begun."""
        self.smallest = 1
        """Fewest samples that a task may deliver at a tick; a smaller last minibatch is dropped.
        Strategies set it to 2 for models that cannot be trained on a single sample."""
        self.max_wait, self.max_idle, self.recent = max_wait, max_idle, recent
        self.interruption = Interruption()  # by which strategies stop while the stream waits
        self._additions = Additions(self.benchmark, seed)
        self._tasks = LiveTasks()
        self._gathering = Gathering(self._additions)
        self._segment: LiveSegment | None = None
        self._resumed: Mapping[str, Any] | None = None  # state that was loaded
        self._is_stopped = False
        self._run = object()  # of the last iteration, which ends those before

    def __repr__(self) -> str:
        active = [task.name for task in self._tasks.active]
        return f"LiveStream(tick {self.tick}, {len(self._tasks)} tasks, active: {active})"

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
            returns if its name is given: its label and its state are found again.
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
        :param test: test, see :meth:`add_task`.
        :raises ValueError: if there is no such task, or the samples cannot be used.
        """
        self.benchmark.set_test(self._tasks.named(name), *self._additions.examined(test, name))

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
    def num_dropped(self) -> int:
        """Number of samples in last minibatches that were too small."""
        return self._gathering.num_dropped

    @property
    def has_ended(self) -> bool:
        """Whether the stream is closed and all tasks have ended."""
        return self.is_closed and not self._additions.waiting and not self._tasks.active

    @property
    def tasks(self) -> tuple[TaskStatus, ...]:
        """State of all tasks, in the order of their labels."""
        return tuple(task.status() for task in self._tasks)

    @property
    def test_stream(self) -> EagerCLStream:
        """Test samples of the tasks that have started, one experience for each, for ``eval``."""
        return self.benchmark.tests(self._tasks)

    def __iter__(self) -> Iterator[LiveSegment]:
        """Yield segments until the stream has ended or is stopped."""
        self._is_stopped, self._run = False, object()
        run = self._run
        while self._run is run and (segment := self._next_segment()) is not None:
            yield segment
            segment.is_over = True

    def _next_segment(self) -> LiveSegment | None:
        if self._resumed is not None:
            return self._reopened()
        self._tasks.end_rounds()
        waits = Waiting()
        while True:
            if self._is_stopped:
                return None
            for addition in self._additions.take():
                self._start(addition)
            self.interruption.check()  # after the start, which restores how far a source has come
            finishing = self._gather()
            if finishing or (self._gathering and not self.interruption.is_asked()):
                break
            if self.has_ended or waits.is_over(self.max_idle):
                return None
        self._gathering.extend_classes(self._tasks)
        self.benchmark.update(self._tasks, self._additions.class_names)
        active = [t for t in self._tasks if t.feed is not None or t.label in finishing]
        self._segment = LiveSegment(self, active, self._tasks.started, self.tick, self.num_segments)
        self.num_segments += 1
        if finishing:  # these had nothing to deliver: no tick belongs to their last segment
            self._segment.finish(finishing)
        return self._segment

    def next_tick(self, segment: LiveSegment) -> LiveBatch | None:
        """Return the minibatch of the next tick of a segment; ``None`` if it ends here.

        :param segment: segment of the stream; only the latest one has further ticks.
        """
        if segment is not self._segment:
            return None
        waits = Waiting()
        if self._is_stopped:
            segment.is_over = True
            return None
        while not (self._gathering and len(segment.ticks) == 0):
            finishing = self._gather()
            if finishing:
                segment.finish(finishing)
            if self._additions.waiting or self._gathering.has_new_classes(self._tasks):
                segment.is_over = True
            if segment.is_over:
                return None
            self.interruption.check()
            if self._gathering:
                break
            if self._is_stopped or waits.is_over(self.max_idle):
                segment.is_over = True
                return None
        batch = self._gathering.deliver(self._tasks.active, self.tick, self.recent)
        self.tick += 1
        segment.ticks = range(segment.ticks.start, self.tick)
        return batch

    def _gather(self) -> list[int]:
        tasks, asked = self._tasks.active, self.interruption
        return self._gathering.gather(tasks, self.max_wait, self.smallest, asked)

    def _start(self, addition: Addition) -> None:
        has_delivered = self._additions.restore(addition)
        feed = feed_of(addition.source, self.benchmark.batch_size)
        task = self._tasks.start(addition, feed, has_delivered=has_delivered)
        if addition.test is not None:
            self.benchmark.set_test(task, *addition.test)

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
            "tasks": self._tasks.states(),
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
        state = state_of_stream(state)
        if self._tasks or self._additions.waiting:
            raise ValueError("`state` is for a new stream, but this one has tasks already.")
        self.benchmark.restore(state["identity"])
        self.tick, self.num_segments = int(state["tick"]), int(state["num_segments"])
        self._gathering.num_dropped = int(state["num_dropped"])
        active = self._tasks.restore(state["tasks"])
        self._additions.resume(self._tasks, state["class_names"], active)
        self.benchmark.num_classes = int(state["num_classes"])
        self.benchmark.update(self._tasks, self._additions.class_names)
        self._resumed = state
        return [*active, *state["waiting"]]

    def _reopened(self) -> LiveSegment | None:
        """Begin where an earlier process has saved its state, within a segment or between two."""
        state = self._resumed
        assert state is not None
        names = check_added(state, self._additions.waiting_names)
        self._resumed = None
        open_ = state["segment"]
        if open_ is None:
            return self._next_segment()
        for addition in self._additions.take(names):
            self._start(addition)
        self._segment = LiveSegment.restored(self, self._tasks, open_)
        return self._segment
