"""Parallel benchmarks: Avalanche scenarios with a time line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from avalanche.benchmarks.scenarios import CLScenario, EagerCLStream

from ._fingerprint import fingerprint_of
from .inputs import InputKinds
from .scenario import Scenario
from .timeline import Timeline

__all__ = ["ParallelBenchmark", "Scenario"]


class ParallelBenchmark(CLScenario):
    """Avalanche benchmark in which several tasks stream at once.

    ``train_stream`` has one ``SegmentExperience`` for each segment of the time line,
    ``test_stream`` one ``TaskExperience`` for each task. The functions
    :func:`~avalanche_emgd.parallel_benchmark` and
    :func:`~avalanche_emgd.parallel_benchmark_from_classes` make such benchmarks.

    Two benchmarks are equal if their :attr:`fingerprint` is equal. A copy, or a benchmark made
    again from the same data and settings, equals the original.

    :ivar timeline: spans of the tasks.
    :ivar label_sets: class labels of each task: the labels in the data, or new labels from 0.
    :ivar class_names: name of each class, by label; by default, the label in the data.
    :ivar input_kinds: shape and type of the inputs of each task.
    :ivar scenario: ``"task"`` (the task of a sample is known, and only its classes compete) or
        ``"class"`` (the classes of all tasks started so far compete).
    :ivar batch_size: samples of each task at each tick; the last tick of a span may have fewer.
    :ivar task_names: names of the tasks in logs and pictures.
    :ivar num_classes: number of outputs that a model needs, the largest label plus one.
    :ivar task_sizes: number of samples that each task delivers over its span.
    """

    def __init__(
        self,
        timeline: Timeline,
        label_sets: tuple[tuple[int, ...], ...],
        scenario: Scenario,
        batch_size: int,
        task_names: tuple[str, ...],
        num_classes: int,
        task_sizes: tuple[int, ...],
        class_names: dict[int, str],
        input_kinds: InputKinds,
    ) -> None:
        super().__init__([])
        self.timeline = timeline
        self.label_sets = label_sets
        self.scenario: Scenario = scenario
        self.batch_size = batch_size
        self.task_names = task_names
        self.num_classes = num_classes
        self.task_sizes = task_sizes
        self.class_names = class_names
        self.input_kinds = input_kinds
        self.train_stream: EagerCLStream
        self.test_stream: EagerCLStream

    def __repr__(self) -> str:
        tasks, classes = len(self.label_sets), sum(map(len, self.label_sets))
        return (
            f"ParallelBenchmark({tasks} tasks, {classes} classes, {self.timeline.num_ticks} ticks, "
            f"{sum(self.task_sizes)} training samples, batch_size={self.batch_size}, "
            f"scenario={self.scenario!r})"
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the first test input."""
        return self.input_kinds.test[0].shape

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the benchmark's content, 64 hexadecimal digits.

        The hash covers the settings, all labels in order of delivery, and up to 32 inputs of each
        stream. The first access computes it.
        """
        return fingerprint_of(self)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, ParallelBenchmark):
            return self is other
        return self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash((self.timeline, self.label_sets, self.batch_size, self.task_sizes))

    def set_stream(self, name: str, experiences: Sequence[Any]) -> None:
        """Add a stream of experiences; generators call this method.

        :param name: name of the stream, ``"train"`` or ``"test"``.
        :param experiences: experiences of the stream.
        """
        self.__dict__.pop("fingerprint", None)
        stream = EagerCLStream(name, experiences, benchmark=self)
        self._streams[name] = stream
        setattr(self, f"{name}_stream", stream)
