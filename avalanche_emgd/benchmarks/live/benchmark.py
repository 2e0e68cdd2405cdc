"""The benchmark of a live stream: tasks and classes that are known so far."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from avalanche.benchmarks.scenarios import CLScenario, CLStream, EagerCLStream

from ..._numbers import check_whole
from .._arguments import check_scenario
from ..datasets import Source, with_labels
from ..experience import TaskExperience
from ..parallel import ParallelBenchmark
from ..scenario import Scenario
from .task import LiveTask

__all__ = ["LiveBenchmark"]


class LiveBenchmark(ParallelBenchmark):
    """Tasks and classes of a live stream, which grow between segments.

    It has no time line, no sizes of tasks and no kinds of inputs of its tasks, because these are
    not known beforehand. Tasks stay in it after their end, so that labels keep their meaning.

    :param scenario: scenario, see :class:`~avalanche_emgd.benchmarks.ParallelBenchmark`.
    :param batch_size: samples of each task at each tick, ≥ 1.
    :raises ValueError: if an argument is out of range.
    """

    def __init__(self, scenario: Scenario, batch_size: int) -> None:
        check_scenario(scenario)
        check_whole("batch_size", batch_size, 1)
        CLScenario.__init__(self, [])
        self.scenario: Scenario = scenario
        self.batch_size = batch_size
        self.label_sets: tuple[tuple[int, ...], ...] = ()
        self.task_names: tuple[str, ...] = ()
        self.num_classes = 0
        self.class_names: dict[int, str] = {}
        self.identity = uuid.uuid4().hex
        """Random text that distinguishes live streams; a resumed stream has that of the first."""
        self.train_origin: CLStream[Any] = CLStream("train", iter(()), benchmark=self)
        """Stream that segments belong to, for the names of Avalanche's metrics."""
        self._tests: dict[int, TaskExperience] = {}

    def __repr__(self) -> str:
        return (
            f"LiveBenchmark({len(self.task_names)} tasks and {self.num_classes} outputs so far, "
            f"batch_size={self.batch_size}, scenario={self.scenario!r})"
        )

    @cached_property
    def fingerprint(self) -> str:
        """Identity of the stream: its data are not known beforehand."""
        return f"live:{self.identity}"

    def __hash__(self) -> int:
        return hash(self.identity)

    def restore(self, identity: str) -> None:
        """Take the identity of the stream of an earlier process."""
        self.identity = identity
        self.__dict__.pop("fingerprint", None)

    def update(self, tasks: Sequence[LiveTask], class_names: Mapping[int, str]) -> None:
        """Take tasks and their classes as they are now.

        :param tasks: all tasks, in the order of their labels.
        :param class_names: name of each class, by label; empty for whole numbers.
        """
        self.class_names = dict(class_names)
        self.label_sets = tuple(tuple(sorted(task.classes)) for task in tasks)
        self.task_names = tuple(task.name for task in tasks)
        largest = [max(task.classes) for task in tasks if task.classes]
        self.num_classes = max([self.num_classes - 1, *largest]) + 1

    def set_test(self, task: LiveTask, dataset: Any, labels: list[int]) -> None:
        """Set the test samples of a task.

        :param dataset: data set of ``(x, y, ...)``.
        :param labels: class labels of all its samples.
        """
        task.test = (dataset, labels)
        self._tests.pop(task.label, None)

    def tests(self, tasks: Sequence[LiveTask]) -> EagerCLStream:
        """Return one experience for each of the given tasks that has test samples."""
        found = []
        for task in tasks:
            if task.test is None:
                continue
            known = self._tests.get(task.label)
            if known is None or known.classes_in_this_experience != sorted(task.classes):
                dataset, labels = task.test
                source = Source(dataset, labels, task.label)
                data = with_labels(source, labels, task.label)
                known = self._tests[task.label] = TaskExperience(data, self, task.label, source)
            found.append(known)
        return EagerCLStream("test", found, benchmark=self)
