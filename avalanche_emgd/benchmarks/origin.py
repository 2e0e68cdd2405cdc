"""The benchmark that an experience belongs to, compared by content."""

from __future__ import annotations

from typing import Any

from .parallel import ParallelBenchmark

__all__ = ["Origin"]


class Origin:
    """Remembers a benchmark, to compare it with others by content.

    All ordinary Avalanche benchmarks count as one. A pickled or copied origin holds the fingerprint
    of its benchmark in place of the data. Fingerprints are computed when they are first needed.

    :param benchmark: parallel benchmark, or ``None`` for an ordinary one.
    :param fingerprint: fingerprint of a parallel benchmark, in place of the benchmark.
    """

    def __init__(
        self, benchmark: ParallelBenchmark | None = None, fingerprint: str | None = None
    ) -> None:
        self._benchmark = benchmark
        self._fingerprint = fingerprint

    @classmethod
    def of(cls, experience: Any) -> Origin:
        """Origin of an experience of any benchmark."""
        benchmark = getattr(experience, "benchmark", None)
        return cls(benchmark if isinstance(benchmark, ParallelBenchmark) else None)

    @property
    def is_ordinary(self) -> bool:
        """Whether it is an ordinary Avalanche benchmark."""
        return self._benchmark is None and self._fingerprint is None

    @property
    def fingerprint(self) -> str | None:
        """Fingerprint of the benchmark; ``None`` for an ordinary one."""
        return self._fingerprint if self._benchmark is None else self._benchmark.fingerprint

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Origin):
            return NotImplemented
        if self.is_ordinary or other.is_ordinary:
            return self.is_ordinary and other.is_ordinary
        if self._benchmark is not None and self._benchmark is other._benchmark:
            return True
        return self.fingerprint == other.fingerprint

    __hash__ = None  # type: ignore[assignment]  # fingerprints are computed when they are needed

    def __getstate__(self) -> dict[str, Any]:
        return {"_benchmark": None, "_fingerprint": self.fingerprint}
