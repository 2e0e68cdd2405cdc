"""Experiences of parallel streams: one per segment for training, one per task for testing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from avalanche.benchmarks import DatasetExperience
from torch import Tensor

from ._in_memory import in_memory
from .datasets import Source, checked, collate, inputs_of
from .delivery import Delivery
from .parallel import ParallelBenchmark
from .timeline import Segment

__all__ = [
    "SegmentExperience",
    "TaskExperience",
    "finishing_objectives",
    "objective_names",
]


class ParallelExperience(DatasetExperience):
    """Base of both kinds of experiences, with class and task labels under Avalanche's names."""

    def __init__(
        self, dataset: Any, benchmark: ParallelBenchmark, tasks: tuple[int, ...], index: int
    ) -> None:
        super().__init__(dataset=dataset, current_experience=index)
        self.benchmark = benchmark
        """The benchmark that the experience belongs to."""
        self.task_labels: list[int] = list(tasks)
        """Tasks with samples in the experience, ascending."""
        if len(tasks) == 1:
            self.task_label: int = tasks[0]
        self.classes_in_this_experience: list[int] = _classes_of(benchmark, tasks)
        """Classes of these tasks, ascending."""

    def __copy__(self) -> ParallelExperience:
        """Copy the attributes directly, because evaluators copy experiences at every callback."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other


class SegmentExperience(ParallelExperience):
    """A segment of a parallel stream: successive ticks with the same active tasks.

    Its data set holds exactly the samples delivered in the segment, in order of delivery.
    """

    def __init__(
        self,
        dataset: Any,
        benchmark: ParallelBenchmark,
        segment: Segment,
        deliveries: tuple[tuple[Delivery, ...], ...],
        sample_ids: tuple[int, ...],
        index: int,
        sources: Sequence[Any],
        offsets: Sequence[int],
    ) -> None:
        super().__init__(dataset, benchmark, segment.tasks, index)
        self._sources = sources
        self._offsets = offsets
        self.sample_ids: tuple[int, ...] = sample_ids
        """Index of each sample in the concatenation of all tasks' training data."""
        self.ids: Tensor = torch.tensor(sample_ids)
        """Indices of :attr:`sample_ids` as a tensor, ``[N]``."""
        self._in_memory = in_memory(self._sources, self._offsets, self.ids, deliveries)
        self.ticks: range = segment.ticks
        """Ticks of the segment, counted from the start of the stream."""
        self.deliveries: tuple[tuple[Delivery, ...], ...] = deliveries
        """For each tick, one minibatch per active task."""
        self.active_tasks: tuple[int, ...] = segment.tasks
        """Tasks that deliver samples in this segment."""
        self.starting_tasks: tuple[int, ...] = segment.starting
        """Tasks that deliver samples for the first time."""
        self.finishing_tasks: tuple[int, ...] = segment.finishing
        """Tasks whose span ends with the last tick of this segment."""

    def __repr__(self) -> str:
        names = ", ".join(self.benchmark.task_names[task] for task in self.active_tasks)
        return (
            f"SegmentExperience(ticks {self.ticks.start}–{self.ticks.stop - 1} of {names}, "
            f"{len(self.sample_ids)} samples)"
        )

    @cached_property
    def started_tasks(self) -> tuple[int, ...]:
        """Tasks that have delivered by the end of this segment, finished ones included."""
        return self._starting_in(0, self.ticks.stop)

    @cached_property
    def previous_classes(self) -> list[int]:
        """Classes of the tasks that have started before this segment, ascending."""
        return _classes_of(self.benchmark, self._starting_in(0, self.ticks.start))

    @cached_property
    def classes_seen_so_far(self) -> list[int]:
        """Classes of the tasks that have started, ascending."""
        return _classes_of(self.benchmark, self.started_tasks)

    @cached_property
    def future_classes(self) -> list[int]:
        """Classes of the tasks that start after this segment, ascending."""
        later = self._starting_in(self.ticks.stop, self.benchmark.timeline.num_ticks)
        return _classes_of(self.benchmark, later)

    def _starting_in(self, start: int, stop: int) -> tuple[int, ...]:
        spans = enumerate(self.benchmark.timeline.spans)
        return tuple(task for task, (first, _) in spans if start <= first < stop)

    def load(self, deliveries: Sequence[Delivery]) -> list[Tensor]:
        """Load successive minibatches, concatenated as ``[x, y, task labels]``.

        Samples of Avalanche's data sets load one by one, those of other data sets together if
        possible.

        :param deliveries: deliveries with successive samples.
        """
        if self._in_memory is not None:
            return next(self._in_memory.load([deliveries]))
        if not all(isinstance(self._sources[delivery.task], Source) for delivery in deliveries):
            places = range(deliveries[0].start, deliveries[-1].stop)
            return checked(collate(self.dataset.train(), places), self._targets[places.start :])
        parts = []
        for delivery in deliveries:
            offset = self._offsets[delivery.task]
            ids = self.ids[delivery.start : delivery.stop] - offset
            parts.append(self._sources[delivery.task].load(ids))
        return [torch.cat(tensors) for tensors in zip(*parts, strict=True)]

    def load_ticks(self, start: int = 0) -> Iterator[list[Tensor]]:
        """Yield the minibatch of each tick; see :meth:`load`.

        :param start: number of ticks that are left out.
        """
        deliveries = self.deliveries[start:]
        if not deliveries:
            return iter(())
        if self._in_memory is not None:
            return self._in_memory.load(deliveries)
        return map(self.load, deliveries)

    @property
    def labels(self) -> Tensor:
        """Class labels of all samples, in order of delivery, ``[N]``."""
        if self._in_memory is not None:
            return self._in_memory.labels
        return self._targets

    @cached_property
    def _targets(self) -> Tensor:
        return torch.tensor(list(self.dataset.targets))

    def delivered(self, task: int) -> Tensor:
        """Return the indices in the data set of a task's samples, in order of delivery, ``[b]``.

        :param task: task label.
        :raises ValueError: if the task does not deliver samples in this segment.
        """
        if task not in self.active_tasks:
            raise ValueError(
                f"`task` must be one of the segment's active tasks {self.active_tasks}, found "
                f"{task!r}."
            )
        own = [d for deliveries in self.deliveries for d in deliveries if d.task == task]
        return torch.cat([torch.arange(d.start, d.stop) for d in own])

    def inputs_at(self, indices: Tensor) -> Tensor:
        """Load inputs ``[b, ...]`` after evaluation transforms.

        :param indices: indices of samples in the data set, ``[b]``, b ≥ 1.
        """
        if self._in_memory is not None:
            return self._in_memory.inputs_at(indices)
        return inputs_of(self.dataset.eval(), indices)

    @property
    def is_last(self) -> bool:
        """Whether the stream ends with this segment."""
        return self.ticks.stop == self.benchmark.timeline.num_ticks


class TaskExperience(ParallelExperience):
    """The test samples of one task."""

    def __init__(self, dataset: Any, benchmark: ParallelBenchmark, task: int, source: Any) -> None:
        super().__init__(dataset, benchmark, (task,), task)
        self._source = source

    def __repr__(self) -> str:
        name, classes = self.benchmark.task_names[self.task_label], self.classes_in_this_experience
        return f"TaskExperience({name}, classes {classes}, {len(self.dataset)} samples)"

    def load(self) -> list[Tensor]:
        """Load all samples as ``[x, y, task labels]``."""
        size = len(self.dataset)
        if isinstance(self._source, Source):
            return self._source.load(torch.arange(size))
        targets = torch.tensor(list(self.dataset.targets))
        return checked(collate(self.dataset.eval(), range(size)), targets)


def _classes_of(benchmark: ParallelBenchmark, tasks: tuple[int, ...]) -> list[int]:
    return sorted(label for task in tasks for label in benchmark.label_sets[task])


def objective_names(experience: Any, dataset: Any = None) -> dict[int, str]:
    """Map the task labels of an experience to names of objectives.

    All experiences of an ordinary class-incremental stream have the same task label. An ordinary
    experience of a single task label therefore takes its name from its number in the stream.

    :param experience: experience of any benchmark.
    :param dataset: data set with other task labels, in place of the experience's own.
    """
    if dataset is None:
        labels = getattr(experience, "task_labels", [0])
    else:
        labels = getattr(getattr(dataset, "targets_task_labels", None), "uniques", [0])
    if isinstance(experience, SegmentExperience):
        names = experience.benchmark.task_names
        return {int(task): names[int(task)] for task in sorted(labels)}
    if len(labels) == 1:
        return {int(next(iter(labels))): f"experience{experience.current_experience}"}
    return {int(label): f"task{int(label)}" for label in sorted(labels)}


def finishing_objectives(experience: Any) -> list[str]:
    """List the tasks whose span ends with an experience; for an ordinary one, all its tasks."""
    names = objective_names(experience)
    if isinstance(experience, SegmentExperience):
        return [names[task] for task in experience.finishing_tasks]
    return list(names.values())
