"""Generators of parallel benchmarks from any data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch.utils.data import Dataset

from ._labelled import LabelledSubset, source_of, targets_of, with_labels
from .experience import Delivery, SegmentExperience, TaskExperience
from .parallel import ParallelBenchmark, Scenario
from .protocol import check_label_sets
from .timeline import Segment, Timeline

__all__ = [
    "parallel_benchmark",
    "parallel_benchmark_from_classes",
    "span_lengths",
]


def span_lengths(sizes: Sequence[int], batch_size: int, epochs: int = 1) -> list[int]:
    """Ticks that each task needs: ceil(epochs · size / batch_size).

    :param sizes: training samples of each task.
    :param batch_size: samples per tick.
    :param epochs: how often each sample is delivered.
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
) -> ParallelBenchmark:
    """Parallel streams from one training and one test data set per task.

    Over the whole training stream each training sample is delivered ``epochs`` times, in an order
    that the seed alone decides.

    :param train_datasets: one per task, of ``(x, y)`` or ``(x, y, ...)``, with disjoint classes;
        the labels are kept as they are.
    :param test_datasets: one per task, with no other classes.
    :param timeline: span of each task, ``ceil(epochs · size / batch_size)`` ticks long;
        :meth:`Timeline.fit` adapts one of other lengths.
    :param batch_size: samples of each task at each tick, ≥ 1.
    :param scenario: ``"task"`` or ``"class"``, see :class:`ParallelBenchmark`.
    :param seed: of the order of delivery.
    :param epochs: passes over each task's samples within its span, ≥ 1.
    :param task_names: distinct names; ``task0``, ``task1``, ... if omitted.
    :raises ValueError: names what does not fit and the remedy.
    """
    num_tasks = timeline.num_tasks
    for name, datasets in (("train_datasets", train_datasets), ("test_datasets", test_datasets)):
        if len(datasets) != num_tasks:
            raise ValueError(
                f"`{name}` must have one data set for each of the {num_tasks} tasks of "
                f"`timeline`, found {len(datasets)}."
            )
    if scenario not in ("task", "class"):
        raise ValueError(f"`scenario` must be 'task' or 'class', found {scenario!r}.")
    _check_counts(batch_size, epochs)
    names = _checked_names(task_names, num_tasks)
    train_labels = [targets_of(d, f"train_datasets[{t}]") for t, d in enumerate(train_datasets)]
    test_labels = [targets_of(d, f"test_datasets[{t}]") for t, d in enumerate(test_datasets)]
    label_sets = tuple(tuple(sorted(set(labels))) for labels in train_labels)
    check_label_sets(label_sets, name="train_datasets")
    for task, labels in enumerate(test_labels):
        if not labels:
            raise ValueError(f"`test_datasets[{task}]` is empty: a task needs test samples.")
        strange = sorted(set(labels) - set(label_sets[task]))
        if strange:
            raise ValueError(
                f"`test_datasets[{task}]` has classes {strange} that `train_datasets[{task}]` "
                "has not."
            )
    _check_spans(timeline, [len(labels) for labels in train_labels], batch_size, epochs)

    benchmark = ParallelBenchmark(
        timeline,
        label_sets,
        scenario,
        batch_size,
        names,
        num_classes=max(map(max, label_sets)) + 1,
        task_sizes=tuple(epochs * len(labels) for labels in train_labels),
    )
    sources = [
        source_of(dataset, labels, task)
        for task, (dataset, labels) in enumerate(zip(train_datasets, train_labels, strict=True))
    ]
    tasks = [
        with_labels(source, labels, task)
        for task, (source, labels) in enumerate(zip(sources, train_labels, strict=True))
    ]
    everything = tasks[0]
    for dataset in tasks[1:]:
        everything = everything.concat(dataset)
    orders = _delivery_orders([len(labels) for labels in train_labels], seed, epochs)
    experiences = []
    for index, segment in enumerate(timeline.segments()):
        indices, deliveries = _deliver(segment, timeline, orders, batch_size)
        dataset = everything.subset(indices)
        experiences.append(
            SegmentExperience(
                dataset, benchmark, segment, deliveries, tuple(indices), index, sources
            )
        )
    benchmark.set_stream("train", experiences)
    test_experiences = []
    for task, (dataset, labels) in enumerate(zip(test_datasets, test_labels, strict=True)):
        source = source_of(dataset, labels, task)
        test_experiences.append(
            TaskExperience(with_labels(source, labels, task), benchmark, task, source)
        )
    benchmark.set_stream("test", test_experiences)
    return benchmark


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
) -> ParallelBenchmark:
    """Parallel streams from one labelled data set, divided into tasks by class.

    :param train: training data set of ``(x, y)``; classes in no label set are left out.
    :param test: test data set of ``(x, y)``.
    :param label_sets: non-empty, disjoint classes of each task.
    :param timeline: of any lengths: it is fitted to the data by :meth:`Timeline.fit`; random by
        ``seed`` if omitted.
    :param batch_size: see :func:`parallel_benchmark`, as for the rest.
    :param scenario: ``"task"`` or ``"class"``.
    :param seed: of the order of delivery, and of the time line if that is omitted.
    :param epochs: passes over each task's samples within its span.
    :param task_names: distinct names; ``task0``, ``task1``, ... if omitted.
    :raises ValueError: if label sets overlap or are empty, a class has no samples, or as in
        :func:`parallel_benchmark`.
    """
    check_label_sets(label_sets)
    train_sets = _split_by_class(train, label_sets, "train")
    test_sets = _split_by_class(test, label_sets, "test")
    _check_counts(batch_size, epochs)
    lengths = span_lengths([len(dataset) for dataset in train_sets], batch_size, epochs)
    if timeline is None:
        timeline = Timeline.random(lengths, seed)
    elif timeline.num_tasks != len(label_sets):
        raise ValueError(
            f"`timeline` must have a span for each of the {len(label_sets)} label sets, "
            f"found {timeline.num_tasks}."
        )
    return parallel_benchmark(
        train_sets,
        test_sets,
        timeline.fit(lengths),
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
        epochs=epochs,
        task_names=task_names,
    )


def _split_by_class(
    dataset: Dataset[Any], label_sets: Sequence[Sequence[int]], name: str
) -> list[Any]:
    labels = targets_of(dataset, name)
    of_class: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        of_class.setdefault(label, []).append(index)
    for task, classes in enumerate(label_sets):
        for label in classes:
            if label not in of_class:
                raise ValueError(
                    f"`{name}` has no sample of class {label}, which `label_sets[{task}]` asks for."
                )
    chosen = [sorted(i for label in classes for i in of_class[label]) for classes in label_sets]
    if isinstance(dataset, AvalancheDataset):
        whole = with_labels(dataset, labels, 0)
        return [whole.subset(indices) for indices in chosen]
    return [LabelledSubset(dataset, indices, labels) for indices in chosen]


def _checked_names(task_names: Sequence[str] | None, num_tasks: int) -> tuple[str, ...]:
    if task_names is None:
        return tuple(f"task{task}" for task in range(num_tasks))
    if len(task_names) != num_tasks or len(set(task_names)) != num_tasks:
        raise ValueError(
            f"`task_names` must be {num_tasks} distinct names, found {list(task_names)!r}."
        )
    reserved = [name for name in task_names if name.startswith("memory")]
    if reserved:
        raise ValueError(
            f"`task_names` must not start with 'memory', the name of the replay memory, "
            f"found {reserved[0]!r}."
        )
    return tuple(task_names)


def _check_counts(batch_size: int, epochs: int) -> None:
    for name, value in (("batch_size", batch_size), ("epochs", epochs)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, found {value!r}.")


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
    """For each task, positions in the concatenation of all tasks, in order of delivery."""
    generator = torch.Generator().manual_seed(seed)
    orders, offset = [], 0
    for size in sizes:
        passes = [torch.randperm(size, generator=generator) for _ in range(epochs)]
        orders.append((torch.cat(passes) + offset).tolist())
        offset += size
    return orders


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
