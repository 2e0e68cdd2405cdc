"""Masks of the logits of classes that do not compete for a sample, in both scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..benchmarks.experience import SegmentExperience
from ..benchmarks.origin import Origin
from ..benchmarks.parallel import ParallelBenchmark
from ..benchmarks.scenario import Scenario

__all__ = ["ClassMask", "is_masked", "mask_logits", "masked_value"]


class ClassMask:
    """Mask of the logits of classes that do not compete.

    A masked logit becomes half of the most negative number of its type; the factor one half avoids
    overflow. A softmax gives it the probability 0. Unlike −inf, its product with 0 is 0, which
    distillation and asymmetric losses need.

    In the task scenario, the mask covers the classes of all tasks other than the sample's task. In
    the class scenario, it covers the classes of tasks that have not started. Logits of ordinary
    Avalanche benchmarks are not masked.

    A task has started if its span begins before the end of the current segment, or of an earlier
    trained segment of the benchmark. Segments may come in any order, and a stream more than once.
    Classes in a replay memory compete, too.

    A masked logit has no gradient. If a sample's own class is masked, its loss is extremely large
    and its prediction is wrong. An example is a test sample of a task that has not started.
    """

    def __init__(self) -> None:
        self._origin = Origin()
        self._scenario: Scenario = "task"
        self._label_sets: tuple[tuple[int, ...], ...] = ()
        self._num_classes = 0
        self._started: set[int] = set()
        self._held: set[int] = set()
        self._masked: Tensor | None = None
        self._masks_nothing = False

    @property
    def started_tasks(self) -> tuple[int, ...]:
        """Tasks of the current benchmark that have started, ascending."""
        return tuple(sorted(self._started))

    def observe(
        self,
        experience: Any,
        *,
        all_started: bool = False,
        started: Iterable[int] = (),
        held: Iterable[int] = (),
    ) -> None:
        """Set the current training experience.

        :param experience: experience of any benchmark; the tasks started by the end of a segment
            compete.
        :param all_started: whether all tasks have started, as in joint training.
        :param started: further tasks that have started, for example before a checkpoint.
        :param held: classes of the replayed samples.
        """
        before = self._started if Origin.of(experience) == self._origin else set()
        self._begin(experience, before.union(started))
        if isinstance(experience, SegmentExperience):
            every = range(len(self._label_sets))
            self._started.update(every if all_started else experience.started_tasks)
            self._held = set(held)

    def _begin(self, experience: Any, started: Iterable[int]) -> None:
        benchmark = getattr(experience, "benchmark", None)
        self._origin, self._masked = Origin.of(experience), None
        self._started, self._held = set(started), set()
        if isinstance(benchmark, ParallelBenchmark):
            self._scenario, self._num_classes = benchmark.scenario, benchmark.num_classes
            self._label_sets = benchmark.label_sets

    def admit(self, labels: Tensor, task_labels: Tensor) -> None:
        """Unmask the classes of the given samples.

        The classes of the segment and of the memory compete already.

        :param labels: class labels ``[B]``; targets of other kinds are ignored.
        :param task_labels: task labels ``[B]``.
        :raises ValueError: in the task scenario, if a class does not belong to the sample's task.
        """
        if self._origin.is_ordinary or labels.ndim != 1 or labels.is_floating_point():
            return
        if self._scenario == "task":
            for task, label in set(zip(task_labels.tolist(), labels.tolist(), strict=True)):
                if label not in self._label_sets[task]:
                    raise ValueError(
                        f"`mbatch` has a sample of class {label} and task {task}, which has the "
                        f"classes {sorted(self._label_sets[task])}: give it its own task label."
                    )
            return
        strange = set(labels.tolist()) - self._competing()
        if strange:
            self._held |= strange
            self._masked = None

    def for_evaluation(self, experience: Any) -> ClassMask:
        """Make a separate mask for an evaluation during training.

        :param experience: evaluated experience of any stream. The started tasks are those of this
            mask; for another benchmark, all tasks have started.
        """
        mask = ClassMask()
        same = Origin.of(experience) == self._origin
        mask._begin(experience, self._started if same else ())
        if same:
            mask._held = set(self._held)
        else:
            mask._started = set(range(len(mask._label_sets)))
        return mask

    def __call__(self, logits: Tensor, task_labels: Tensor) -> Tensor:
        """Mask logits.

        :param logits: logits ``[B, K]``.
        :param task_labels: task labels ``[B]``.
        :return: masked logits ``[B, K]``.
        :raises ValueError: if the model has fewer outputs than the benchmark has classes.
        """
        if self._origin.is_ordinary:
            return logits
        masked = self._masked
        if masked is None or masked.shape[1] != logits.shape[1] or masked.device != logits.device:
            masked = self._masked = self._table(logits)
        if self._masks_nothing:
            return logits
        rows = masked if len(masked) == 1 else masked.index_select(0, task_labels)
        return logits.masked_fill(rows, masked_value(logits.dtype))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_masked": None}

    def state_dict(self) -> dict[str, Any]:
        """Return benchmark, started tasks and replayed classes as numbers and text."""
        return {
            "benchmark": self._origin.fingerprint,
            "scenario": self._scenario,
            "label_sets": [list(labels) for labels in self._label_sets],
            "num_classes": self._num_classes,
            "started": sorted(self._started),
            "held": sorted(self._held),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`."""
        self._origin, self._masked = Origin(fingerprint=state["benchmark"]), None
        self._scenario, self._num_classes = state["scenario"], int(state["num_classes"])
        self._label_sets = tuple(tuple(labels) for labels in state["label_sets"])
        self._started, self._held = set(state["started"]), set(state["held"])

    def _competing(self) -> set[int]:
        """Return the classes that compete in the class scenario."""
        started = {label for task in self._started for label in self._label_sets[task]}
        return started | self._held

    def _table(self, logits: Tensor) -> Tensor:
        """Return the masked classes as booleans, ``[T, K]``, or ``[1, K]`` for all tasks."""
        width = logits.shape[1]
        if width < self._num_classes:
            raise ValueError(
                f"`model` has {width} outputs, but the labels of the benchmark go up to "
                f"{self._num_classes - 1}: give it {self._num_classes} outputs."
            )
        if self._scenario == "task":
            groups = [list(labels) for labels in self._label_sets]
        else:
            groups = [[label for label in self._competing() if label < width]]
        table = torch.ones(len(groups), width, dtype=torch.bool)
        for row, labels in zip(table, groups, strict=True):
            row[labels] = False
        self._masks_nothing = not bool(table.any())
        return table.to(logits.device)


def mask_logits(logits: Tensor, allowed: Tensor) -> Tensor:
    """Mask the logits that are not allowed, with the value of :class:`ClassMask`.

    :param logits: logits ``[B, K]``.
    :param allowed: booleans that broadcast to the shape of the logits; false where masked.
    """
    return logits.masked_fill(~allowed, masked_value(logits.dtype))


def is_masked(logits: Tensor) -> Tensor:
    """Return booleans of the shape of ``logits``, true where a :class:`ClassMask` has masked."""
    return logits <= masked_value(logits.dtype) / 2


def masked_value(dtype: torch.dtype) -> float:
    """Return the value of a masked logit of a floating-point type."""
    return torch.finfo(dtype).min / 2
