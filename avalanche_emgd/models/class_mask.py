"""Which classes compete for a sample: masks of logits in both scenarios."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..benchmarks.experience import SegmentExperience
from ..benchmarks.parallel import ParallelBenchmark

__all__ = ["ClassMask", "is_masked", "mask_logits"]


class ClassMask:
    """Masks the logits of classes that do not compete.

    They become the most negative number of their type (halved, for headroom). To a softmax it is
    −inf, but its product with 0 is 0, which distillation and asymmetric losses rely on.

    Task-incremental: the classes of other tasks than the sample's. Class-incremental: the classes
    of tasks that have not started. Experiences of ordinary Avalanche benchmarks are left alone.

    A masked logit gets no gradient. The loss of a sample whose own class is masked (a test sample
    of a task that has not started) is astronomical, its prediction wrong.
    """

    def __init__(self) -> None:
        self._benchmark: ParallelBenchmark | None = None
        self._started: tuple[int, ...] = ()
        self._masked: Tensor | None = None
        self._masks_nothing = False

    def observe(self, experience: Any, *, all_started: bool = False) -> None:
        """Say which experience is trained on now.

        :param experience: a segment says which tasks have started.
        :param all_started: whether all tasks have started, as in joint training.
        """
        self._benchmark, self._started, self._masked = None, (), None
        if isinstance(experience, SegmentExperience):
            self._benchmark = experience.benchmark
            self._started = experience.started_tasks
            if all_started:
                self._started = tuple(range(len(self._benchmark.label_sets)))

    def for_evaluation(self, experience: Any) -> ClassMask:
        """Make the mask for an evaluation in between, which leaves this one alone.

        :param experience: what is evaluated, of any stream. The tasks that have started are those
            of the segment last trained on; all tasks, for another benchmark than that one's.
        """
        benchmark = getattr(experience, "benchmark", None)
        mask = ClassMask()
        if isinstance(benchmark, ParallelBenchmark):
            mask._benchmark = benchmark
            if benchmark is self._benchmark:
                mask._started = self._started
            else:
                mask._started = tuple(range(len(benchmark.label_sets)))
        return mask

    def __call__(self, logits: Tensor, task_labels: Tensor) -> Tensor:
        """Mask ``logits`` ``[B, K]`` of samples with ``task_labels`` ``[B]``.

        :raises ValueError: if the model has fewer outputs than the benchmark has classes.
        """
        if self._benchmark is None:
            return logits
        masked = self._masked
        if masked is None or masked.shape[1] != logits.shape[1] or masked.device != logits.device:
            masked = self._masked = self._table(self._benchmark, logits)
        if self._masks_nothing:
            return logits
        rows = masked if len(masked) == 1 else masked.index_select(0, task_labels)
        return logits.masked_fill(rows, _masked_value(logits.dtype))

    def _table(self, benchmark: ParallelBenchmark, logits: Tensor) -> Tensor:
        """Which classes do not compete, ``[T, K]``, or ``[1, K]`` where all tasks are alike."""
        width = logits.shape[1]
        if width < benchmark.num_classes:
            raise ValueError(
                f"`model` has {width} outputs, but the labels of the benchmark go up to "
                f"{benchmark.num_classes - 1}: give it {benchmark.num_classes} outputs."
            )
        if benchmark.scenario == "task":
            groups = [list(labels) for labels in benchmark.label_sets]
        else:
            groups = [[c for task in self._started for c in benchmark.label_sets[task]]]
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
