"""Benchmarks of successive runs, which share what has been decoded."""

from __future__ import annotations

from typing import Any

from ..benchmarks import ParallelBenchmark
from .config import RunConfig, make_benchmark

__all__ = ["SuccessiveBenchmarks"]


class SuccessiveBenchmarks:
    """Makes the benchmarks of one run after the other.

    The latest one is kept, so that the next one on the same data shares what has been decoded.
    Decoded data of one data set are in memory at a time, besides those of runs that still go on.
    """

    def __init__(self) -> None:
        self._data: tuple[Any, ...] = ()
        self._latest: ParallelBenchmark | None = None

    def make(self, config: RunConfig) -> ParallelBenchmark:
        """Make the benchmark of a run; see :func:`~avalanche_emgd.experiments.make_benchmark`."""
        data = (config.benchmark, config.data_root, config.size)
        if data != self._data:
            self._latest = None
        self._data, self._latest = data, make_benchmark(config)
        return self._latest
