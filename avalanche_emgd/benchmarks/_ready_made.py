"""What ready-made benchmarks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.utils.data import Dataset

from ._label_sets import random_label_sets
from .generators import parallel_benchmark_from_classes
from .parallel import ParallelBenchmark, Scenario
from .timeline import Timeline

__all__ = ["divided"]


def divided(
    train: Dataset[Any],
    test: Dataset[Any],
    num_classes: int,
    *,
    num_tasks: int,
    label_sets: Sequence[Sequence[int]] | None,
    timeline: Timeline | None,
    batch_size: int,
    scenario: Scenario,
    seed: int,
) -> ParallelBenchmark:
    """Divide data by class into given tasks, or random ones where no label sets are given."""
    if label_sets is None:
        label_sets = random_label_sets(num_classes, num_tasks, seed)
    return parallel_benchmark_from_classes(
        train, test, label_sets, timeline, batch_size=batch_size, scenario=scenario, seed=seed
    )
