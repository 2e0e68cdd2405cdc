"""TensorBoard logger with one event for all numbers of a tick."""

from __future__ import annotations

import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from avalanche.evaluation.metric_results import MetricValue
from avalanche.logging import TensorboardLogger
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard import SummaryWriter

__all__ = ["BatchedTensorboardLogger"]

_LONGEST = 1.0  # seconds; longest delay of a number
_QUEUE = 10_000  # events; with a short queue, the writer's thread often blocks training


class BatchedTensorboardLogger(TensorboardLogger):
    """Avalanche's ``TensorboardLogger`` for metrics with many numbers per iteration.

    All numbers of one call and one step become a single event. The logger passes events to
    TensorBoard's writer once a second. TensorBoard shows the same curves at a fraction of the cost.
    The writer's thread competes with training for Python's global lock, and to wake the thread
    costs several times as much as its work. Access to :attr:`writer`, or the deletion of the
    logger, passes all events on at once.

    The other parameters are those of Avalanche's ``TensorboardLogger``.

    :param purge_step: number of iterations before a checkpoint, to continue an interrupted run in
        the same folder: TensorBoard hides what the first part wrote after it.
    """

    _purge_step: int | None = None  # of copies, too

    def __init__(self, *args: Any, purge_step: int | None = None, **kwargs: Any) -> None:
        self._purge_step = purge_step
        super().__init__(*args, **kwargs)

    @property
    def writer(self) -> Any:
        """Torch's ``SummaryWriter``; access first passes all waiting numbers to it."""
        self._waiting.hand_over()
        return self._waiting.writer

    @writer.setter
    def writer(self, writer: Any) -> None:
        self._waiting = _Waiting(writer)
        # Finalizers run in reverse order: this one precedes Avalanche's, which closes the writer.
        weakref.finalize(self, _tried, self._waiting.hand_over)

    def _make_writer(self, tb_log_dir: Any, filename_suffix: str) -> SummaryWriter:
        writer = SummaryWriter(
            tb_log_dir,
            max_queue=_QUEUE,
            filename_suffix=filename_suffix,
            purge_step=self._purge_step,
        )
        weakref.finalize(self, _tried, writer.close)  # as in Avalanche's logger
        return writer

    def log_metrics(self, metric_values: list[MetricValue]) -> None:
        """Write the values of metrics.

        :param metric_values: values of one callback.
        """
        numbers = [each for each in metric_values if isinstance(each.value, (int, float))]
        if numbers:
            self._waiting.add(numbers)
        if len(numbers) < len(metric_values):
            super().log_metrics(
                [each for each in metric_values if not isinstance(each.value, (int, float))]
            )


def _tried(function: Callable[[], None]) -> None:
    """Call a function at the end, when an error of a full disk has been raised already."""
    with suppress(OSError):
        function()


class _Waiting:
    """Numbers that wait to be passed to a writer."""

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
                # `add_scalar` takes single numbers only, so use the event writer behind it.
                self.writer._get_file_writer().add_summary(summary, step, when)
