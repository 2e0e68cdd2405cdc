"""Statistics of a study: means of methods, ranks, and differences between runs that are pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..records import Record
from .runs import Block, Runs, block_order, common_blocks, finished_runs, scenarios_of

__all__ = [
    "CONFIDENCE",
    "DEFAULT_REFERENCE",
    "Comparison",
    "Estimate",
    "Summary",
    "bootstrap_interval",
    "choose_reference",
    "compare",
    "mean_ranks",
    "student_interval",
    "summarize",
]

CONFIDENCE = 0.95
"""Level of all intervals."""

DEFAULT_REFERENCE = "emgd-gmc"
"""Default label of the method of comparison."""

_RESAMPLES = 9999


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval.

    :param mean: mean of the values.
    :param low: lower end of a 95 % interval; ``None`` if there are fewer than two values.
    :param high: upper end of the interval.
    :param n: number of values, ≥ 1.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval, and zero lies outside."""
        return self.low is not None and self.high is not None and not self.low <= 0.0 <= self.high


@dataclass(frozen=True)
class Summary:
    """All finished runs of a method in one scenario.

    :param method: label of the method.
    :param A_e: accuracy at the ends of the tasks, as a fraction; Student's interval.
    :param A_ebar: accuracy at the very end.
    :param F_ebar: A_ē − A_e.
    :param runs: number of runs.
    :param rank: mean rank by A_ē, see :func:`mean_ranks`; ``None`` if there is no block for it.
    :param ticks_per_second: median.
    :param peak_memory_mb: median, in units of 10⁶ bytes.
    """

    method: str
    A_e: Estimate
    A_ebar: Estimate
    F_ebar: Estimate
    runs: int
    rank: float | None
    ticks_per_second: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Comparison:
    """Differences of a method's runs to the reference's runs in the same blocks.

    :param method: label of the method.
    :param pairs: blocks in which both are done.
    :param A_ebar: difference of A_ē, method − reference, with a bootstrap interval; ``None``
        without pairs.
    :param F_ebar: difference of F_ē.
    :param wins: share of the pairs in which the method's A_ē is higher; a tie is half a win.
    """

    method: str
    pairs: int
    A_ebar: Estimate | None
    F_ebar: Estimate | None
    wins: float | None


def student_interval(values: Sequence[float] | np.ndarray) -> Estimate:
    """Mean of independent values with Student's t interval (Student, Biometrika, 1908).

    :param values: values, at least one.
    """
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return Estimate(mean, None, None, n)
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1) * np.std(values, ddof=1) / n**0.5)
    return Estimate(mean, mean - half, mean + half, n)


def bootstrap_interval(values: Sequence[float] | np.ndarray) -> Estimate:
    """Mean with a percentile bootstrap interval (Efron, Annals of Statistics, 1979).

    The interval does not depend on the order of the values.

    :param values: values, at least one.
    """
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return Estimate(mean, None, None, n)
    draws = np.random.default_rng(0).integers(n, size=(_RESAMPLES, n))
    means = np.sort(np.asarray(values, dtype=float))[draws].mean(axis=1)
    low, high = np.quantile(means, (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2))
    return Estimate(mean, float(low), float(high), n)


def mean_ranks(runs: Runs) -> tuple[dict[str, float], int]:
    """Mean rank of each method by A_ē over the blocks in which all methods are done.

    The highest A_ē has rank 1; tied methods share the average of their ranks.

    :param runs: finished runs, see :func:`finished_runs`.
    :return: ranks by label, empty if there is no such block; and the number of blocks.
    """
    blocks = common_blocks(runs)
    if not blocks:
        return {}, 0
    figures = np.array([[done[block]["A_ebar"] for block in blocks] for done in runs.values()])
    means = stats.rankdata(-figures, axis=0).mean(axis=1)
    return dict(zip(runs, map(float, means), strict=True)), len(blocks)


def summarize(runs: Runs) -> tuple[Summary, ...]:
    """Summary of each method of a scenario, the highest mean A_ē first.

    :param runs: finished runs, see :func:`finished_runs`.
    """
    ranks, _ = mean_ranks(runs)
    summaries = [
        Summary(
            method,
            **{name: student_interval(_figures(done, name)) for name in _FIGURES},
            runs=len(done),
            rank=ranks.get(method),
            ticks_per_second=float(np.median(_figures(done, "ticks_per_second"))),
            peak_memory_mb=float(np.median(_figures(done, "peak_memory_mb"))),
        )
        for method, done in runs.items()
    ]
    return tuple(sorted(summaries, key=lambda s: (-s.A_ebar.mean, s.method)))


def compare(runs: Runs, reference: str) -> tuple[Comparison, ...]:
    """Compare each method with the reference, the highest difference of A_ē first.

    Pairs are runs with the same label set, time line and seed.

    :param runs: finished runs, see :func:`finished_runs`.
    :param reference: label of a method; all others have no pairs if it has no runs.
    """
    base = runs.get(reference, {})
    comparisons = [
        _compare(method, done, base) for method, done in runs.items() if method != reference
    ]
    return tuple(
        sorted(
            comparisons,
            key=lambda c: (-c.A_ebar.mean if c.A_ebar is not None else float("inf"), c.method),
        )
    )


def choose_reference(records: Sequence[Record], wanted: str | None = None) -> str | None:
    """Choose the method of comparison.

    :param records: records of a study.
    :param wanted: label of a method. If ``None``, it is ``emgd-gmc``, or without this run the
        method with the highest mean A_ē in the first scenario.
    :return: label of the method; ``None`` without finished runs.
    :raises ValueError: if the wanted method has no finished run.
    """
    done = {record["method"] for record in records if record["status"] == "done"}
    if wanted is not None:
        if wanted not in done:
            raise ValueError(
                f"`reference` must be a method with finished runs, found {wanted!r}: choose from "
                f"{', '.join(sorted(done)) or 'none so far'}."
            )
        return wanted
    if not done or DEFAULT_REFERENCE in done:
        return DEFAULT_REFERENCE if done else None
    return summarize(finished_runs(records, scenarios_of(records)[0]))[0].method


_FIGURES = ("A_e", "A_ebar", "F_ebar")


def _figures(done: Mapping[Block, Record], name: str) -> list[float]:
    """Return values in the order of the blocks: sums do not depend on the order of records."""
    return [float(done[block][name]) for block in sorted(done, key=block_order)]


def _compare(method: str, done: Mapping[Block, Record], base: Mapping[Block, Record]) -> Comparison:
    blocks = sorted(set(done) & set(base), key=block_order)
    if not blocks:
        return Comparison(method, 0, None, None, None)
    differences = {
        name: np.array([done[block][name] - base[block][name] for block in blocks])
        for name in ("A_ebar", "F_ebar")
    }
    wins = (1.0 + np.sign(differences["A_ebar"])) / 2.0
    return Comparison(
        method,
        len(blocks),
        bootstrap_interval(differences["A_ebar"]),
        bootstrap_interval(differences["F_ebar"]),
        float(wins.mean()),
    )
