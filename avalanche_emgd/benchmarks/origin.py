"""Origin of an experience: its benchmark, compared by content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .live import LiveBenchmark
from .parallel import ParallelBenchmark
from .scenario import Scenario

__all__ = ["Origin"]


class Origin:
    """Reference to a benchmark, compared with others by content.

    All ordinary Avalanche benchmarks are equal origins. A pickled or copied origin holds the
    fingerprint of its benchmark instead of the data. Fingerprints are computed at first use.

    :param benchmark: parallel benchmark, or ``None`` for an ordinary one.
    :param fingerprint: fingerprint of a parallel benchmark, if the benchmark itself is not given.
    :param scenario: scenario of a live stream, likewise; ``None`` for other benchmarks.
    """

    def __init__(
        self,
        benchmark: ParallelBenchmark | None = None,
        fingerprint: str | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        self._benchmark = benchmark
        self._fingerprint = fingerprint
        self._scenario = benchmark.scenario if isinstance(benchmark, LiveBenchmark) else scenario

    @classmethod
    def of(cls, experience: Any) -> Origin:
        """Return the origin of an experience of any benchmark."""
        benchmark = getattr(experience, "benchmark", None)
        return cls(benchmark if isinstance(benchmark, ParallelBenchmark) else None)

    @property
    def is_live(self) -> bool:
        """Whether the benchmark is that of a live stream, which grows."""
        return self._scenario is not None

    @property
    def scenario(self) -> Scenario | None:
        """Scenario of a live stream; ``None`` for other benchmarks."""
        return self._scenario

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
        return {"_benchmark": None, "_fingerprint": self.fingerprint, "_scenario": self._scenario}

    def state_dict(self) -> dict[str, Any]:
        """Return fingerprint and scenario, as text."""
        return {"fingerprint": self.fingerprint, "scenario": self._scenario}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Origin:
        """Make the origin of a state of :meth:`state_dict`."""
        return cls(fingerprint=state["fingerprint"], scenario=state.get("scenario"))
