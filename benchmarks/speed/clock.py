"""Times of things measured side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

__all__ = ["seconds", "side_by_side"]

_LARGER = 4096  # float32 numbers; what the C library takes for small ends at a kilobyte


def seconds(work: Callable[[], Any]) -> float:
    """Time one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def side_by_side(works: Sequence[Callable[[], Callable[[], Any]]], repeats: int) -> list[float]:
    """Typical seconds of several things, measured in turns in one run.

    Ratios of the returned times are medians of the ratios within turns. A machine that slows down
    for a while slows down everything in a turn alike.

    Before each, memory is allocated and let go: C libraries put off joining small freed pieces
    until a request for a larger one (glibc's ``malloc_consolidate``). After TorchJD's thousands
    of small tensors this takes 12 ms, which would count as the time of another work.

    :param works: each prepares one call, which alone is timed.
    :param repeats: number of repetitions of each.
    """
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for own, prepare in zip(times, works, strict=True):
            work = prepare()
            torch.empty(_LARGER)
            own.append(seconds(work))
    first = times[0]
    ratios = [[t / f for t, f in zip(own, first, strict=True)] for own in times]
    return [statistics.median(first) * statistics.median(own) for own in ratios]
