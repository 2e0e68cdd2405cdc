"""Origin of an experience: its benchmark, compared by content."""

from __future__ import annotations

from typing import Any

from .parallel import ParallelBenchmark

__all__ = ["Origin"]


class Origin:
    """Reference to a benchmark, compared with others by content.

    All ordinary Avalanche benchmarks are equal origins. A pickled or copied origin holds the
    fingerprint of its benchmark instead of the data. Fingerprints are computed at first use.

    :param benchmark: parallel benchmark, or ``None`` for an ordinary one.
    :param fingerprint: fingerprint of a parallel benchmark, if the benchmark itself is not given.
    """

    def __init__(
        self, benchmark: ParallelBenchmark | None = None, fingerprint: str | None = None
    ) -> None:
        self._benchmark = benchmark
        self._fingerprint = fingerprint

    @classmethod
    def of(cls, experience: Any) -> Origin:
        """Return the origin of an experience of any benchmark."""
        benchmark = getattr(experience, "benchmark", None)
        return cls(benchmark if isinstance(benchmark, ParallelBenchmark) else None)

    @property
    def is_ordinary(self) -> bool:
        """Whether the benchmark is an ordinary Avalanche benchmark."""
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

    __hash__ = None  # type: ignore[assignment]  # a hash would compute the fingerprint

    def __getstate__(self) -> dict[str, Any]:
        return {"_benchmark": None, "_fingerprint": self.fingerprint}
