"""Generators of parallel benchmarks from labelled data sets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch.utils.data import Dataset, Subset

from ._arguments import (
    check_datasets,
    check_settings,
    checked_class_names,
    checked_task_names,
)
from ._assembly import TaskData, assemble
from ._examination import Examination
from ._label_sets import check_random_seed
from ._labels import checked_label_sets
from ._numbering import Numbering
from .datasets import with_labels
from .limits import CHECKED_SAMPLES
from .parallel import ParallelBenchmark, Scenario
from .protocol import check_label_sets
from .timeline import Timeline

__all__ = [
    "parallel_benchmark",
    "parallel_benchmark_from_classes",
    "span_lengths",
]

_FEWEST_CHECKED = 64  # samples of each data set, for any number of data sets


def span_lengths(sizes: Sequence[int], batch_size: int, epochs: int = 1) -> list[int]:
    """Compute the number of ticks of each task, ceil(epochs · size / batch_size).

    :param sizes: number of training samples of each task.
    :param batch_size: samples of a task at each tick, ≥ 1.
    :param epochs: number of times that each sample is delivered, ≥ 1.
    """
    return [math.ceil(epochs * size / batch_size) for size in sizes]


def parallel_benchmark(
    train_datasets: Sequence[Dataset[Any]],
    test_datasets: Sequence[Dataset[Any]],
    timeline: Timeline,
    *,
    batch_size: int,
    scenario: Scenario = "class",
    seed: int = 0,
    epochs: int = 1,
    task_names: Sequence[str] | None = None,
    relabel: bool = False,
    class_names: Mapping[int, str] | Sequence[str] | None = None,
) -> ParallelBenchmark:
    """Make parallel streams from one training and one test data set per task.

    The training stream delivers each training sample ``epochs`` times. The order of delivery
    depends on the seed alone.

    The data are checked beforehand, so that training does not end halfway. Inputs must be tensors
    or arrays of one shape and type, without NaN or infinite numbers; targets must be class labels.
    If samples are not in memory, the check loads up to
    :data:`~avalanche_emgd.benchmarks.limits.CHECKED_SAMPLES` of the training and of the test data.

    :param train_datasets: one data set of ``(x, y)`` or ``(x, y, ...)`` per task, with disjoint
        classes. The labels are kept unless ``relabel`` is true.
    :param test_datasets: one data set per task, with no other classes.
    :param timeline: span of each task, ``ceil(epochs · size / batch_size)`` ticks long;
        :meth:`Timeline.fit` adapts a time line of other lengths.
    :param batch_size: samples of each task at each tick, ≥ 1.
    :param scenario: scenario, ``"task"`` or ``"class"``, see :class:`ParallelBenchmark`.
    :param seed: seed of the order of delivery.
    :param epochs: passes over each task's samples within its span, ≥ 1.
    :param task_names: distinct names; ``task0``, ``task1``, ... if omitted.
    :param relabel: whether to number the classes anew, from 0 in ascending order; needed for labels
        that are negative or very large. If tasks share labels, each task then has its own classes,
        numbered task after task.
    :param class_names: names by label in the data, or a list of names of the labels 0, 1, 2, ...;
        the labels themselves if omitted.
    :raises ValueError: if an argument or the data are invalid; the message names the place and the
        remedy.
    """
    check_settings(timeline, batch_size, epochs, seed, scenario, relabel)
    num_tasks = timeline.num_tasks
    check_datasets(train_datasets, "train_datasets", num_tasks)
    check_datasets(test_datasets, "test_datasets", num_tasks)
    batch_size, epochs, seed = int(batch_size), int(epochs), int(seed)
    task_names = checked_task_names(task_names, num_tasks)
    class_names = checked_class_names(class_names)
    share = max(_FEWEST_CHECKED, CHECKED_SAMPLES // num_tasks)
    train, test = (
        [TaskData.of(dataset, f"{name}[{task}]", share) for task, dataset in enumerate(datasets)]
        for name, datasets in (("train_datasets", train_datasets), ("test_datasets", test_datasets))
    )
    numbering = Numbering.of([data.labels for data in train], relabel=relabel)
    for task, data in enumerate(test):
        if not data.labels:
            raise ValueError(f"`test_datasets[{task}]` is empty: a task needs test samples.")
        strange = sorted(set(data.labels) - set(train[task].labels))
        if strange:
            raise ValueError(
                f"`test_datasets[{task}]` has classes {strange[:20]} that are missing in "
                f"`train_datasets[{task}]`."
            )
    sizes = [len(data.labels) for data in train]
    _check_spans(timeline, sizes, batch_size, epochs)
    return assemble(
        train,
        test,
        timeline,
        numbering,
        batch_size=batch_size,
        scenario=scenario,
        task_names=task_names,
        class_names=class_names,
        orders=_delivery_orders(sizes, seed, epochs),
    )


def parallel_benchmark_from_classes(
    train: Dataset[Any],
    test: Dataset[Any],
    label_sets: Sequence[Sequence[int]],
    timeline: Timeline | None = None,
    *,
    batch_size: int,
    scenario: Scenario = "class",
    seed: int = 0,
    epochs: int = 1,
    task_names: Sequence[str] | None = None,
    relabel: bool = False,
    class_names: Mapping[int, str] | Sequence[str] | None = None,
) -> ParallelBenchmark:
    """Make parallel streams from one labelled data set, divided into tasks by class.

    :param train: training data set of ``(x, y)``; classes in no label set are left out.
    :param test: test data set of ``(x, y)``.
    :param label_sets: classes of each task, not empty and disjoint.
    :param timeline: time line of any lengths, fitted to the data by :meth:`Timeline.fit`; random by
        ``seed`` if omitted.
    :param batch_size: samples of each task at each tick, ≥ 1.
    :param scenario: scenario, ``"task"`` or ``"class"``, see :class:`ParallelBenchmark`.
    :param seed: seed of the order of delivery, and of the time line if omitted.
    :param epochs: passes over each task's samples within its span.
    :param task_names: distinct names; ``task0``, ``task1``, ... if omitted.
    :param relabel: whether to number the classes of all label sets anew.
    :param class_names: names by label in the data.
    :raises ValueError: if label sets overlap or are empty, or a class has no samples; otherwise as
        in :func:`parallel_benchmark`.
    """
    label_sets = checked_label_sets(label_sets)
    _check_label_sets(label_sets, relabel)
    placeholder = Timeline.serial([1] * len(label_sets))
    check_settings(
        placeholder if timeline is None else timeline, batch_size, epochs, seed, scenario, relabel
    )
    batch_size, epochs, seed = int(batch_size), int(epochs), int(seed)
    if timeline is None:
        check_random_seed(seed)
    task_names = checked_task_names(task_names, len(label_sets))
    class_names = checked_class_names(class_names)
    if timeline is not None and timeline.num_tasks != len(label_sets):
        raise ValueError(
            f"`timeline` must have a span for each of the {len(label_sets)} label sets, "
            f"found {timeline.num_tasks}."
        )
    train_data = _split_by_class(train, label_sets, "train")
    test_data = _split_by_class(test, label_sets, "test")
    sizes = [len(data.labels) for data in train_data]
    lengths = span_lengths(sizes, batch_size, epochs)
    if timeline is None:
        timeline = Timeline.random(lengths, seed)
    return assemble(
        train_data,
        test_data,
        timeline.fit(lengths),
        Numbering.of([data.labels for data in train_data], relabel=relabel),
        batch_size=batch_size,
        scenario=scenario,
        task_names=task_names,
        class_names=class_names,
        orders=_delivery_orders(sizes, seed, epochs),
    )


def _check_label_sets(label_sets: list[list[int]], relabel: bool) -> None:
    lowest = min((min(labels) for labels in label_sets if labels), default=0)
    if lowest >= 0 or not relabel:
        check_label_sets(label_sets)
        return
    try:
        check_label_sets([[label - lowest for label in labels] for labels in label_sets])
    except ValueError:
        raise ValueError("`label_sets` must be sets of classes, disjoint and not empty.") from None


def _split_by_class(
    dataset: Dataset[Any], label_sets: Sequence[Sequence[int]], name: str
) -> list[TaskData]:
    """Examine the samples of all label sets together, and divide them."""
    examination = Examination(dataset, name)
    chosen = _chosen(examination.labels, label_sets, name)
    known = examination.labels
    found = examination.inputs(sorted(chain.from_iterable(chosen)), CHECKED_SAMPLES)
    if examination.labels is not known:  # a target transform has changed the labels
        chosen = _chosen(examination.labels, label_sets, name)
    assert found is not None
    labels, as_is = examination.labels, examination.as_is
    return [
        TaskData(_part(dataset, labels, own), [labels[i] for i in own], found, as_is)
        for own in chosen
    ]


def _chosen(
    labels: Sequence[int], label_sets: Sequence[Sequence[int]], name: str
) -> list[list[int]]:
    """Find the indices of the samples of each label set, ascending."""
    of_class: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        of_class.setdefault(label, []).append(index)
    for task, classes in enumerate(label_sets):
        for label in classes:
            if label not in of_class:
                raise ValueError(
                    f"`{name}` has no sample of class {label}, which is in `label_sets[{task}]`."
                )
    return [sorted(i for label in classes for i in of_class[label]) for classes in label_sets]


def _part(dataset: Any, labels: list[int], indices: list[int]) -> Any:
    if isinstance(dataset, AvalancheDataset):
        return with_labels(dataset, labels, 0).subset(indices)
    return Subset(dataset, indices)


def _check_spans(timeline: Timeline, sizes: list[int], batch_size: int, epochs: int) -> None:
    needed = span_lengths(sizes, batch_size, epochs)
    for task, (length, need) in enumerate(zip(timeline.lengths, needed, strict=True)):
        if length != need:
            raise ValueError(
                f"`timeline.spans[{task}]` lasts {length} ticks, but {sizes[task]} samples in "
                f"minibatches of {batch_size}, delivered {epochs} times, need {need}: use "
                f"`timeline.fit({needed})`."
            )


def _delivery_orders(sizes: list[int], seed: int, epochs: int) -> list[list[int]]:
    """Draw for each task the order of its indices in the concatenation of all tasks' data."""
    generator = torch.Generator().manual_seed(seed)
    orders, offset = [], 0
    for size in sizes:
        passes = [torch.randperm(size, generator=generator) for _ in range(epochs)]
        orders.append((torch.cat(passes) + offset).tolist())
        offset += size
    return orders
