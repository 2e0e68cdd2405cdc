"""Fingerprints of parallel benchmarks, for comparison by content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from .._temporary_seed import temporary_seed
from .datasets import inputs_of

if TYPE_CHECKING:
    from .parallel import ParallelBenchmark

__all__ = ["fingerprint_of"]

SAMPLED_INPUTS = 32
"""Number of inputs of each stream that enter a fingerprint."""


def fingerprint_of(benchmark: ParallelBenchmark) -> str:
    """Hash a benchmark's settings, its labels in order of delivery and some of its inputs.

    Equal content gives equal fingerprints in every process. Of inputs with random transforms, which
    differ at each loading, only shape and type enter the fingerprint.

    :return: SHA-256, 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    settings = (
        benchmark.timeline.spans,
        benchmark.label_sets,
        benchmark.scenario,
        benchmark.batch_size,
        benchmark.task_names,
        benchmark.num_classes,
        benchmark.task_sizes,
        benchmark.class_names,
    )
    digest.update(repr(settings).encode())
    for experience in benchmark.train_stream:
        _add(digest, experience.ids)
        _add(digest, experience.labels)
    for experience in benchmark.test_stream:
        _add(digest, torch.tensor(list(experience.dataset.targets)))
    for stream in (benchmark.train_stream, benchmark.test_stream):
        for dataset, index in _spread([e.dataset.eval() for e in stream]):
            first, second = (_loaded(dataset, index, seed) for seed in (0, 1))
            same = first.shape == second.shape and first.dtype == second.dtype
            _add(digest, first, by_value=same and torch.equal(first, second))
    return digest.hexdigest()


def _spread(datasets: list[Any]) -> Iterator[tuple[Any, int]]:
    """Yield data sets with indices of samples that are evenly spread over all of them."""
    starts = np.cumsum([0, *map(len, datasets)])
    total = int(starts[-1])
    for place in np.unique(np.linspace(0, total - 1, SAMPLED_INPUTS).astype(int)).tolist():
        number = int(np.searchsorted(starts, place, side="right")) - 1
        yield datasets[number], place - int(starts[number])


def _loaded(dataset: Any, index: int, seed: int) -> Tensor:
    with temporary_seed(seed):
        return inputs_of(dataset, torch.tensor([index]))[0].detach().cpu()


def _add(digest: Any, tensor: Tensor, *, by_value: bool = True) -> None:
    digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
    if by_value:
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
