"""Construction of experiences and streams from examined data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from avalanche.benchmarks.utils import AvalancheDataset, DataAttribute, TaskLabels
from avalanche.benchmarks.utils.flat_data import FlatData
from torch.utils.data import default_collate

from ._examination import Examination, Inputs
from ._numbering import Numbering
from .datasets import Relabelling, Source, StreamDataset, with_labels
from .delivery import Delivery
from .experience import SegmentExperience, TaskExperience
from .inputs import InputKind, InputKinds
from .parallel import ParallelBenchmark, Scenario
from .timeline import Segment, Timeline

__all__ = ["TaskData", "assemble"]

_NONE = InputKind((), default_collate([0]).dtype)  # placeholder for data sets without samples


@dataclass
class TaskData:
    """Examined training or test data of one task.

    :param dataset: data set of ``(x, y, ...)``.
    :param labels: labels of all samples, as given in the data.
    :param inputs: kinds of the inputs.
    :param as_is: whether the targets of the samples are these labels, as plain integers.
    """

    dataset: Any
    labels: list[int]
    inputs: Inputs
    as_is: bool

    @classmethod
    def of(cls, dataset: Any, name: str, limit: int) -> TaskData:
        """Examine a data set; see :class:`~avalanche_emgd.benchmarks._examination.Examination`."""
        examination = Examination(dataset, name)
        inputs = examination.inputs(None, limit) or Inputs(_NONE, _NONE, True)
        return cls(dataset, examination.labels, inputs, examination.as_is)

    def numbered(self, numbers: Mapping[int, int], task: int) -> tuple[Any, Any]:
        """Make the source of samples, with the labels of the benchmark, and the stream's data set.

        :param numbers: mapping from labels in the data to labels in the benchmark.
        :param task: task label.
        :return: source of samples and data set of the stream.
        """
        labels = [numbers[label] for label in self.labels]
        source = self._source(labels, numbers, task)
        return source, with_labels(source, labels, task, kind=StreamDataset)

    def _source(self, labels: list[int], numbers: Mapping[int, int], task: int) -> Any:
        relabelling = Relabelling(numbers)
        if not isinstance(self.dataset, AvalancheDataset):
            return Source(self.dataset, labels, task, None if self.inputs.complete else relabelling)
        if self.as_is and all(label == number for label, number in numbers.items()):
            return self.dataset
        return with_labels(self.dataset, labels, task, relabelling=relabelling)


def assemble(
    train: Sequence[TaskData],
    test: Sequence[TaskData],
    timeline: Timeline,
    numbering: Numbering,
    *,
    batch_size: int,
    scenario: Scenario,
    task_names: tuple[str, ...],
    class_names: Mapping[int, str] | None,
    orders: list[list[int]],
) -> ParallelBenchmark:
    """Make the benchmark from the examined data of all tasks.

    :param train: training data of each task.
    :param test: test data of each task.
    :param timeline: span of each task.
    :param numbering: labels of the classes in the benchmark.
    :param batch_size: samples of each task at each tick.
    :param scenario: scenario, ``"task"`` or ``"class"``.
    :param task_names: name of each task.
    :param class_names: names of the classes by label in the data.
    :param orders: indices of the samples of each task in the concatenation of all tasks' training
        data, in order of delivery.
    """
    _check_joined(train, timeline)
    benchmark = ParallelBenchmark(
        timeline,
        numbering.label_sets,
        scenario,
        batch_size,
        task_names,
        num_classes=max(map(max, numbering.label_sets)) + 1,
        task_sizes=tuple(map(len, orders)),
        class_names=_class_names(numbering, task_names, class_names),
        input_kinds=InputKinds(
            tuple(data.inputs.loaded for data in train),
            tuple(data.inputs.stored for data in train),
            tuple(data.inputs.stored for data in test),
            _extremes([*train, *test]),
        ),
    )
    sources, tasks = [], []
    for task, data in enumerate(train):
        source, dataset = data.numbered(numbering.numbers[task], task)
        sources.append(source)
        tasks.append(dataset)
    starts = list(accumulate([0, *map(len, tasks)]))
    experiences = []
    for index, segment in enumerate(timeline.segments()):
        indices, deliveries = _deliver(segment, timeline, orders, batch_size)
        dataset = _delivered(segment, tasks, starts, indices, deliveries)
        experiences.append(
            SegmentExperience(
                dataset, benchmark, segment, deliveries, tuple(indices), index, sources, starts
            )
        )
    benchmark.set_stream("train", experiences)
    test_experiences = []
    for task, data in enumerate(test):
        source, dataset = data.numbered(numbering.numbers[task], task)
        test_experiences.append(TaskExperience(dataset, benchmark, task, source))
    benchmark.set_stream("test", test_experiences)
    return benchmark


def _extremes(parts: Sequence[TaskData]) -> tuple[int, int] | None:
    found = [data.inputs.extremes for data in parts]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def _delivered(
    segment: Segment,
    tasks: Sequence[Any],
    starts: Sequence[int],
    indices: Sequence[int],
    deliveries: Sequence[Sequence[Delivery]],
) -> Any:
    """Make the data set of a segment's samples from the data sets of its active tasks alone.

    :param tasks: data set of each task.
    :param starts: index of each task's first sample in the concatenation of all data sets.
    :param indices: indices of the segment's samples in that concatenation, in order of delivery.
    """
    parts = [tasks[task] for task in segment.tasks]
    if len(parts) == 1:
        return parts[0].subset([index - starts[segment.tasks[0]] for index in indices])
    # Avalanche's own concatenation joins attributes in pairs, which is far slower for many tasks.
    labels = FlatData([part.targets.data for part in parts])
    task_labels = FlatData([part.targets_task_labels.data for part in parts])
    joined = StreamDataset(
        parts, data_attributes=[DataAttribute(labels, "targets"), TaskLabels(task_labels)]
    )
    own = dict(zip(segment.tasks, accumulate([0, *map(len, parts)]), strict=False))
    local = [
        index - starts[delivery.task] + own[delivery.task]
        for delivered in deliveries
        for delivery in delivered
        for index in indices[delivery.start : delivery.stop]
    ]
    return joined.subset(local)


def _check_joined(train: Sequence[TaskData], timeline: Timeline) -> None:
    """Check that tasks that are active together can share a minibatch."""
    for segment in timeline.segments():
        first = train[segment.tasks[0]]
        for task in segment.tasks[1:]:
            other = train[task]
            if not first.inputs.loaded.agrees(other.inputs.loaded):
                raise ValueError(
                    "`train_datasets` must have inputs of one shape and type where tasks are "
                    f"active together: task {segment.tasks[0]} has {first.inputs.loaded}, task "
                    f"{task} has {other.inputs.loaded}."
                )
    collates = {task: getattr(data.dataset, "collate_fn", None) for task, data in enumerate(train)}
    own = {task: f for task, f in collates.items() if f is not None and f is not default_collate}
    avalanche = [task for task in own if isinstance(train[task].dataset, AvalancheDataset)]
    if avalanche and any(collates[task] != own[avalanche[0]] for task in collates):
        raise ValueError(
            f"`train_datasets` must have one collate_fn: the one of task {avalanche[0]} differs "
            "from the others."
        )


def _class_names(
    numbering: Numbering, task_names: Sequence[str], given: Mapping[int, str] | None
) -> dict[int, str]:
    """Map labels in the benchmark to names, with the task's name in front of shared labels."""
    names = {}
    for task, own in enumerate(numbering.numbers):
        for label, number in own.items():
            name = str(label) if given is None else str(given.get(label, label))
            names[number] = f"{task_names[task]}: {name}" if numbering.shared else name
    return dict(sorted(names.items()))


def _deliver(
    segment: Segment, timeline: Timeline, orders: list[list[int]], batch_size: int
) -> tuple[list[int], tuple[tuple[Delivery, ...], ...]]:
    indices: list[int] = []
    deliveries = []
    for tick in segment.ticks:
        delivered = []
        for task in segment.tasks:
            first = (tick - timeline.spans[task][0]) * batch_size
            samples = orders[task][first : first + batch_size]
            delivered.append(Delivery(task, len(indices), len(indices) + len(samples)))
            indices.extend(samples)
        deliveries.append(tuple(delivered))
    return indices, tuple(deliveries)
