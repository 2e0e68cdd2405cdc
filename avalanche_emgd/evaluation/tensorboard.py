"""TensorBoard, one event for all numbers of a tick."""

from __future__ import annotations

from collections import defaultdict

from avalanche.evaluation.metric_results import MetricValue
from avalanche.logging import TensorboardLogger
from tensorboard.compat.proto.summary_pb2 import Summary

__all__ = ["BatchedTensorboardLogger"]


class BatchedTensorboardLogger(TensorboardLogger):
    """Avalanche's ``TensorboardLogger`` for metrics with many numbers per iteration.

    Numbers that come together, and belong to one step, become one event instead of one each:
    TensorBoard shows the same, and what writing costs hardly depends on how many there are.
    Takes the parameters of Avalanche's.
    """

    def log_metrics(self, metric_values: list[MetricValue]) -> None:
        """Write what the metrics have emitted."""
        numbers = defaultdict(list)
        others = []
        for each in metric_values:
            if isinstance(each.value, (int, float)):
                value = Summary.Value(tag=each.name, simple_value=each.value)
                numbers[each.x_plot].append(value)
            else:
                others.append(each)
        for step, values in numbers.items():
            # The writer of events behind `add_scalar`, which takes single numbers only.
            self.writer._get_file_writer().add_summary(Summary(value=values), step)
        if others:
            super().log_metrics(others)
