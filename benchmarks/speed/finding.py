"""Finding of a case, and the effort of its measurement."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Effort", "Finding", "in_milliseconds"]


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    :param repeats: repetitions of everything, of which the median counts.
    :param ticks: ticks of a stream for the MLP, many beside the work at the start of a run.
    :param samples: training samples of a whole run.
    :param solves: solutions of the dual at each n, fifty at a time.
    :param study_samples: training samples of the streams of a study.
    """

    repeats: int
    ticks: int
    samples: int
    solves: int
    study_samples: int


FULL = Effort(repeats=7, ticks=150, samples=60_000, solves=21, study_samples=697_932)
QUICK = Effort(repeats=5, ticks=30, samples=8_000, solves=5, study_samples=60_000)


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    :param what: measured quantity.
    :param against: reference of the ratio.
    :param value: the ratio, or the multiple.
    :param goal: largest or smallest allowed value.
    :param at_least: whether the goal is the smallest allowed value.
    :param detail: the figures behind it.
    """

    what: str
    against: str
    value: float
    goal: float
    at_least: bool = False
    detail: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def in_milliseconds(*pairs: tuple[str, float]) -> str:
    """Name and show times.

    :param pairs: names with seconds.
    """
    return ", ".join(f"{name} {1000 * value:.2f} ms" for name, value in pairs)
