"""Time lines: the first and the last tick of each task of a parallel stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numbers import is_whole
from .._text_files import excerpt
from .limits import MOST_TASKS, MOST_TICKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Segment", "Timeline"]


# Limit of the sum over all segments of the number of active tasks.
_MOST_ENTRIES = 5_000_000


@dataclass(frozen=True)
class Segment:
    """A maximal run of ticks with the same active tasks.

    :param start: first tick.
    :param end: last tick, inclusive.
    :param tasks: active tasks, ascending.
    :param starting: tasks whose first tick is ``start``.
    :param finishing: tasks whose last tick is ``end``.
    """

    start: int
    end: int
    tasks: tuple[int, ...]
    starting: tuple[int, ...]
    finishing: tuple[int, ...]

    @property
    def ticks(self) -> range:
        """All ticks of the segment."""
        return range(self.start, self.end + 1)


@dataclass(frozen=True)
class Timeline:
    """The span of every task, in ticks (training iterations), both ends inclusive.

    At each tick of its span a task delivers one minibatch. Time lines are immutable, and equal if
    their spans are equal.

    :param spans: (first tick, last tick) of each task, in the order of the tasks.
    :raises ValueError: if there are no spans, or a span is not a pair of integers
        0 ≤ first ≤ last.
    """

    spans: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if len(self.spans) > MOST_TASKS:
            raise ValueError(
                f"`spans` must have at most {MOST_TASKS} tasks, found {len(self.spans)}."
            )
        spans = []
        for task, span in enumerate(self.spans):
            try:
                first, last = (_as_int(end) for end in span)
            except (TypeError, ValueError):
                raise ValueError(
                    f"`spans[{task}]` must be a pair of integers (first tick, last tick), "
                    f"found {excerpt(span)}."
                ) from None
            if first < 0:
                raise ValueError(
                    f"`spans[{task}]` must not start before tick 0, found {excerpt(span)}."
                )
            if last < first:
                raise ValueError(
                    f"`spans[{task}]` must not end before it starts, found {excerpt(span)}."
                )
            if last >= MOST_TICKS:
                raise ValueError(
                    f"`spans[{task}]` must end before tick {MOST_TICKS}, found {excerpt(span)}."
                )
            spans.append((first, last))
        if not spans:
            raise ValueError("`spans` must have at least one task, found none.")
        object.__setattr__(self, "spans", tuple(spans))
        self._check_size()

    @classmethod
    def serial(cls, lengths: Sequence[int]) -> Timeline:
        """Make a time line of successive tasks without overlap: ordinary continual learning.

        :param lengths: ticks of each task, ≥ 1.
        """
        return cls.overlapping(lengths, 0.0)

    @classmethod
    def joint(cls, lengths: Sequence[int]) -> Timeline:
        """Make a time line on which all tasks start at tick 0: multi-task learning.

        :param lengths: ticks of each task, ≥ 1.
        """
        return cls.overlapping(lengths, 1.0)

    @classmethod
    def overlapping(cls, lengths: Sequence[int], overlap: float) -> Timeline:
        """Start each task after a share ``1 − overlap`` of its predecessor's ticks.

        :param lengths: ticks of each task, ≥ 1.
        :param overlap: share of overlap, in [0, 1]; 0 is serial, 1 is joint.
        :raises ValueError: if ``overlap`` is not in [0, 1], or a length is no whole number of at
            least 1.
        """
        if not isinstance(overlap, (int, float)) or not 0.0 <= overlap <= 1.0:
            raise ValueError(f"`overlap` must be in [0, 1], found {excerpt(overlap)}.")
        lengths = _checked_lengths(lengths)
        spans, start = [], 0
        for length in lengths:
            spans.append((start, start + length - 1))
            start += round((1.0 - overlap) * length)
        return cls(tuple(spans))

    @classmethod
    def random(cls, lengths: Sequence[int], seed: int) -> Timeline:
        """Draw random starts without idle gaps, as published with the PCL benchmarks.

        The start of each task is uniform between the start of its predecessor and the latest end
        so far, both inclusive.

        :param lengths: ticks of each task, ≥ 1.
        :param seed: seed of the random starts, ≥ 0.
        """
        lengths = _checked_lengths(lengths)
        generator = np.random.default_rng(seed)
        spans = [(0, lengths[0] - 1)]
        latest_end = 0
        for length in lengths[1:]:
            latest_end = max(latest_end, spans[-1][1])
            start = int(generator.integers(spans[-1][0], latest_end, endpoint=True))
            spans.append((start, start + length - 1))
        return cls(tuple(spans))

    @property
    def num_tasks(self) -> int:
        """Number of tasks."""
        return len(self.spans)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Ticks of each task."""
        return tuple(last - first + 1 for first, last in self.spans)

    @property
    def num_ticks(self) -> int:
        """Number of ticks from tick 0 to the last tick of all tasks, inclusive."""
        return max(last for _, last in self.spans) + 1

    def segments(self) -> tuple[Segment, ...]:
        """Divide the time line into maximal runs of ticks with the same active tasks.

        Idle gaps are left out. T tasks make at most 2T − 1 segments.
        """
        segments = []
        active: set[int] = set()
        for (start, starting, finished), (stop, _, finishing) in pairwise(self._changes()):
            active.difference_update(finished)
            active.update(starting)
            if active:
                tasks = tuple(sorted(active))
                segments.append(Segment(start, stop - 1, tasks, starting, finishing))
        return tuple(segments)

    def _changes(self) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
        """List the ticks at which the active tasks change, ascending.

        :return: for each, the tick, the tasks that start at this tick, and the tasks whose last
            tick is the one before.
        """
        starting: dict[int, list[int]] = {}
        finished: dict[int, list[int]] = {}
        for task, (first, last) in enumerate(self.spans):
            starting.setdefault(first, []).append(task)
            finished.setdefault(last + 1, []).append(task)
        return [
            (tick, tuple(starting.get(tick, ())), tuple(finished.get(tick, ())))
            for tick in sorted({*starting, *finished})
        ]

    def _check_size(self) -> None:
        """Check the number of active tasks over all segments, before segments are made."""
        active = entries = 0
        for _, starting, finished in self._changes():
            active += len(starting) - len(finished)
            entries += active
        if entries > _MOST_ENTRIES:
            raise ValueError(
                f"`spans` has {self.num_tasks} tasks, of which too many are active at once: its "
                f"segments would hold {entries} tasks, more than {_MOST_ENTRIES}."
            )

    def fit(self, lengths: Sequence[int]) -> Timeline:
        """Adapt the time line to other lengths, with each start at the same relative progress.

        The predecessor of a task is the task that starts last before it. A task that starts during
        its predecessor's span starts at the same share of the predecessor's new span. A task that
        starts later keeps its position relative to the task that ends last before it. The order of
        the starts is preserved.

        :param lengths: new number of ticks of each task, ≥ 1.
        :raises ValueError: if the number of lengths differs from the number of tasks.
        """
        lengths = _checked_lengths(lengths)
        if len(lengths) != self.num_tasks:
            raise ValueError(
                f"`lengths` must have one entry for each of the {self.num_tasks} tasks, "
                f"found {len(lengths)}."
            )
        order = sorted(range(self.num_tasks), key=lambda task: self.spans[task][0])
        fitted: dict[int, tuple[int, int]] = {}
        previous_start, latest = 0, order[0]
        for position, task in enumerate(order):
            first = self.spans[task][0]
            if position == 0:
                start = first
            else:
                anchor = order[position - 1]
                if self.spans[anchor][1] > self.spans[latest][1]:
                    latest = anchor
                if self.spans[anchor][1] + 1 < first:
                    anchor = latest
                progress = (first - self.spans[anchor][0]) / self.lengths[anchor]
                start = fitted[anchor][0] + round(progress * lengths[anchor])
            start = max(start, previous_start)
            fitted[task] = (start, start + lengths[task] - 1)
            previous_start = start
        return Timeline(tuple(fitted[task] for task in range(self.num_tasks)))

    def plot(self, names: Sequence[str] | None = None, ax: Axes | None = None) -> Figure:
        """Draw the spans as a Gantt chart.

        :param names: names of the tasks; ``task0``, ``task1``, ... if omitted.
        :param ax: axes to draw into; a new figure if omitted.
        :return: the figure; save it with ``figure.savefig(path)``.
        """
        if names is None:
            names = [f"task{task}" for task in range(self.num_tasks)]
        if len(names) != self.num_tasks:
            raise ValueError(
                f"`names` must name {self.num_tasks} tasks, found {excerpt(list(names))}."
            )
        from .gantt import draw_gantt  # matplotlib is slow to load

        cuts = [segment.start for segment in self.segments()[1:]]
        return draw_gantt(self.spans, names, cuts, ax)


def _as_int(value: Any) -> int:
    if not is_whole(value):
        raise TypeError
    return int(value)


def _checked_lengths(lengths: Iterable[int]) -> list[int]:
    checked = list(lengths)
    if len(checked) > MOST_TASKS:
        raise ValueError(f"`lengths` must have at most {MOST_TASKS} tasks, found {len(checked)}.")
    if not checked:
        raise ValueError("`lengths` must have at least one task, found none.")
    for task, length in enumerate(checked):
        if not is_whole(length) or length < 1:
            raise ValueError(f"`lengths[{task}]` must be an integer ≥ 1, found {excerpt(length)}.")
    return [int(length) for length in checked]
