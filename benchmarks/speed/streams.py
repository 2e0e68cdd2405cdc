"""Streams of noise, and their minibatches in memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark, parallel_benchmark_from_classes
from avalanche_emgd.benchmarks import ParallelBenchmark
from avalanche_emgd.benchmarks.images import ImagesInMemory

__all__ = [
    "CLASSES_PER_TASK",
    "COLOUR",
    "IMAGE",
    "Batches",
    "batches_of",
    "emnist_like",
    "equal_tasks",
    "noise",
    "with_memory",
]

Batches = Sequence[tuple[Tensor, Tensor]]
"""Inputs and targets of each objective of a tick."""

CLASSES_PER_TASK = 6
IMAGE, COLOUR = (1, 28, 28), (3, 32, 32)


def noise(n: int, batch_size: int, shape: Sequence[int]) -> Batches:
    """One minibatch of noise for each of n tasks."""
    generator = torch.Generator().manual_seed(0)
    labels = (
        CLASSES_PER_TASK * torch.arange(n)[:, None] + torch.arange(batch_size) % CLASSES_PER_TASK
    )
    return [(torch.randn(batch_size, *shape, generator=generator), own) for own in labels]


def equal_tasks(n: int, batch_size: int, ticks: int, shape: Sequence[int]) -> ParallelBenchmark:
    """N tasks that all stream from the first to the last tick, in memory."""
    generator = torch.Generator().manual_seed(0)
    sets = []
    for task in range(n):
        x = torch.randn(batch_size * ticks, *shape, generator=generator)
        y = CLASSES_PER_TASK * task + torch.arange(len(x)) % CLASSES_PER_TASK
        sets.append(TensorDataset(x, y))
    spans = Timeline(tuple((0, ticks - 1) for _ in range(n)))
    return parallel_benchmark(sets, sets, spans, batch_size=batch_size)


def emnist_like(samples: int) -> ParallelBenchmark:
    """Streams of the size of PS-EMNIST: noise, 62 classes in 5 tasks, minibatches of 128."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (samples, 1, 28, 28), generator=generator, dtype=torch.uint8)
    data = ImagesInMemory(images, torch.arange(samples) % 62, (0.5,), (0.29,))
    bounds = (0, 13, 25, 37, 50, 62)
    label_sets = [range(a, b) for a, b in pairwise(bounds)]
    return parallel_benchmark_from_classes(data, data, label_sets, batch_size=128)


def batches_of(benchmark: ParallelBenchmark) -> list[Batches]:
    """All minibatches of a benchmark, in memory: one per task at each tick."""
    ticks = []
    for experience in benchmark.train_stream:
        for deliveries in experience.deliveries:
            x, y, _ = experience.load(deliveries)
            start = deliveries[0].start
            ticks.append([(x[d.start - start : d.stop - start], y[d.start - start : d.stop - start])
                          for d in deliveries])  # fmt: skip
    return ticks


def with_memory(stream: Any, capacity: int) -> list[Batches]:
    """Minibatches of a stream with one from a memory of the finished tasks, in memory."""
    generator = torch.Generator().manual_seed(0)
    kept: list[Any] = []
    ticks: list[Batches] = []
    for experience, batches in zip(
        [e for e in stream.train_stream for _ in e.ticks], batches_of(stream), strict=True
    ):
        last = experience.ticks.stop - 1
        if kept:
            x, y = (torch.cat(column)[-capacity:] for column in zip(*kept, strict=True))
            chosen = torch.randperm(len(y), generator=generator)[: stream.batch_size]
            batches = [*batches, (x[chosen], y[chosen])]
        ticks.append(batches)
        if experience.finishing_tasks and len(ticks) == last + 1:
            kept += [batches[experience.active_tasks.index(t)] for t in experience.finishing_tasks]
    return ticks
