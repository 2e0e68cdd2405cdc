"""Which classes compete for a sample: masks of logits in both scenarios."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from ..benchmarks.experience import SegmentExperience
from ..benchmarks.origin import Origin
from ..benchmarks.parallel import ParallelBenchmark
from ..benchmarks.scenario import Scenario

__all__ = ["ClassMask", "is_masked", "mask_logits"]


class ClassMask:
    """Masks the logits of classes that do not compete.

    They become the most negative number of their type (halved, for headroom). To a softmax it is
    −inf, but its product with 0 is 0, which distillation and asymmetric losses rely on.

    Task-incremental: the classes of other tasks than the sample's. Class-incremental: the classes
    of tasks that have not started. Experiences of ordinary Avalanche benchmarks are left alone.

    A task has started if the time line says so, or if a segment of the same benchmark that was
    trained on before says so: segments may come out of order, and a stream more than once. Classes
    that a replay memory holds have started, too.

    A masked logit gets no gradient. The loss of a sample whose own class is masked (a test sample
    of a task that has not started) is astronomical, its prediction wrong.
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
        """Tasks that have started on the benchmark that was last trained on, ascending."""
        return tuple(sorted(self._started))

    def observe(
        self,
        experience: Any,
        *,
        all_started: bool = False,
        started: Iterable[int] = (),
        held: Iterable[int] = (),
    ) -> None:
        """Say which experience is trained on now.

        :param experience: a segment says which tasks have started.
        :param all_started: whether all tasks have started, as in joint training.
        :param started: more tasks that have started, as before a checkpoint.
        :param held: classes of samples that are replayed.
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
        """Let the classes of samples compete from now on.

        Samples of the segment and of the memory need not be admitted.

        :param labels: class labels ``[B]``; nothing is done for other kinds of targets.
        :param task_labels: ``[B]``.
        :raises ValueError: if a class is none of the sample's task, in the task scenario.
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
        """Make the mask for an evaluation in between, which leaves this one alone.

        :param experience: experience of any stream that is evaluated. The tasks that have started
            are those of the segments trained on; all tasks, for another benchmark than theirs.
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
        """Mask ``logits`` ``[B, K]`` of samples with ``task_labels`` ``[B]``.

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
        return logits.masked_fill(rows, _masked_value(logits.dtype))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_masked": None}

    def _competing(self) -> set[int]:
        """Classes that compete, in the class scenario."""
        started = {label for task in self._started for label in self._label_sets[task]}
        return started | self._held

    def _table(self, logits: Tensor) -> Tensor:
        """Which classes do not compete, ``[T, K]``, or ``[1, K]`` where all tasks are alike."""
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
    """Mask the logits ``[B, K]`` that are not allowed, as :class:`ClassMask` does.

    :param allowed: booleans that broadcast to the shape of the logits.
    """
    return logits.masked_fill(~allowed, _masked_value(logits.dtype))


def is_masked(logits: Tensor) -> Tensor:
    """Tell which logits a :class:`ClassMask` has masked, as booleans of the same shape."""
    return logits <= _masked_value(logits.dtype) / 2


def _masked_value(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).min / 2
