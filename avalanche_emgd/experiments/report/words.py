"""Numbers and names in the words of a report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .statistics import Estimate

__all__ = [
    "count",
    "difference",
    "duration",
    "interval",
    "listing",
    "percent",
    "rate",
    "scenario_words",
    "signed",
]


def percent(value: float) -> str:
    """Fraction as percent, without the unit."""
    return f"{100 * value:.1f}".replace("-", "−")


def signed(value: float) -> str:
    """Fraction as points with its sign, also where it is almost zero; zero has none."""
    return f"{100 * value:+.1f}".replace("-", "−") if value else "0.0"


def interval(estimate: Estimate) -> str:
    """Mean ± half of a symmetric interval, in percent; the mean alone if there is none."""
    mean = percent(estimate.mean)
    return mean if estimate.high is None else f"{mean} ± {percent(estimate.high - estimate.mean)}"


def difference(estimate: Estimate) -> str:
    """Mean [low, high] in points; the mean alone if there is no interval."""
    mean = signed(estimate.mean)
    if estimate.low is None or estimate.high is None:
        return mean
    return f"{mean} [{signed(estimate.low)}, {signed(estimate.high)}]"


def count(number: int, thing: str) -> str:
    """Say how many: ``1 run``, ``2 runs``."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def listing(values: Iterable[Any]) -> str:
    """Values with commas between them."""
    return ", ".join(map(str, values))


def duration(seconds: float) -> str:
    """Time in the two largest units."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def rate(value: float) -> str:
    """Say how many per second, with a decimal place where there are few."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def scenario_words(scenario: str) -> str:
    """Name of a scenario in a sentence."""
    return f"{scenario}-incremental"
