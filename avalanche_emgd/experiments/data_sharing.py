"""Benchmarks of successive runs, which share decoded data."""

from __future__ import annotations

from typing import Any

from ..benchmarks import ParallelBenchmark
from .config import RunConfig, make_benchmark

__all__ = ["SuccessiveBenchmarks"]


class SuccessiveBenchmarks:
    """Factory of the benchmarks of successive runs.

    It keeps a reference to the latest benchmark, so that the next one on the same data shares the
    decoded data. Apart from unfinished runs, one data set is decoded in memory at a time.
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
