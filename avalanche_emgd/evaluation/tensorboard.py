"""TensorBoard, one event for all numbers of a tick."""

from __future__ import annotations

import time
import weakref
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from avalanche.evaluation.metric_results import MetricValue
from avalanche.logging import TensorboardLogger
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard import SummaryWriter

__all__ = ["BatchedTensorboardLogger"]

_LONGEST = 1.0  # seconds that numbers wait
_QUEUE = 10_000  # events; a short queue has two threads wait for each other every few events


class BatchedTensorboardLogger(TensorboardLogger):
    """Avalanche's ``TensorboardLogger`` for metrics with many numbers per iteration.

    Numbers that come together, and belong to one step, become one event instead of one each, and
    events are handed to TensorBoard's writer once a second: TensorBoard shows the same, and what
    writing costs is a fraction. The writer's thread competes with training for Python's lock, and
    waking it at every tick costs several times what it does. Nothing waits any longer once somebody
    asks for :attr:`writer`, or when the logger goes, at the end of the process at the latest.

    Takes the parameters of Avalanche's.
    """

    @property
    def writer(self) -> Any:
        """Torch's ``SummaryWriter``; what has waited is handed over first."""
        self._waiting.hand_over()
        return self._waiting.writer

    @writer.setter
    def writer(self, writer: Any) -> None:
        self._waiting = _Waiting(writer)
        # Finalizers run in reverse order: before Avalanche's, which closes the writer.
        weakref.finalize(self, self._waiting.hand_over)

    def _make_writer(self, tb_log_dir: Any, filename_suffix: str) -> SummaryWriter:
        writer = SummaryWriter(tb_log_dir, max_queue=_QUEUE, filename_suffix=filename_suffix)
        weakref.finalize(self, SummaryWriter.close, writer)  # as Avalanche's
        return writer

    def log_metrics(self, metric_values: list[MetricValue]) -> None:
        """Write what the metrics have emitted."""
        numbers = [each for each in metric_values if isinstance(each.value, (int, float))]
        if numbers:
            self._waiting.add(numbers)
        if len(numbers) < len(metric_values):
            super().log_metrics(
                [each for each in metric_values if not isinstance(each.value, (int, float))]
            )


class _Waiting:
    """Numbers on their way to a writer."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer
        self._numbers: list[tuple[float, Sequence[MetricValue]]] = []

    def add(self, numbers: Sequence[MetricValue]) -> None:
        now = time.time()
        self._numbers.append((now, numbers))
        if now - self._numbers[0][0] > _LONGEST:
            self.hand_over()

    def hand_over(self) -> None:
        waiting, self._numbers = self._numbers, []
        for when, numbers in waiting:
            steps: dict[int, Summary] = defaultdict(Summary)
            for each in numbers:
                steps[each.x_plot].value.add(tag=each.name, simple_value=each.value)
            for step, summary in steps.items():
                # The writer of events behind `add_scalar`, which takes single numbers only.
                self.writer._get_file_writer().add_summary(summary, step, when)
