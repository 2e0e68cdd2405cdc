"""Ticks of ResNets, without the loop over the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from avalanche_emgd.gradients import FusedEngine, PlainEngine
from avalanche_emgd.models import ResNet18

from .by_hand import one_pass, separate_passes
from .clock import side_by_side
from .finding import Effort, Finding, in_milliseconds
from .grouped_norm import normalised_by_objective
from .strategy import core_tick, with_step
from .streams import COLOUR, Batches, noise

__all__ = ["threads_of_the_resnet", "ticks_of_the_full_resnet", "ticks_of_the_resnet"]

_SLIM, _FULL = 20, 64  # width
# The fused engine compares itself with separate passes at ticks 1, 2, 4, 8 ...: after these, too
# few of the ticks are compared to change a median.
_FIRST_TICKS = 2


def _resnet(n: int, width: int) -> nn.Module:
    torch.manual_seed(0)
    return ResNet18(6 * n, width=width)


def _emgd(batches: Batches, engine: Any, width: int = _SLIM) -> Callable[[], Any]:
    model = _resnet(len(batches), width)
    return with_step(core_tick(model, batches, engine), model)


def _times(works: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Typical seconds of ticks, measured in turns after some that are not.

    :param works: the first of them may be a fused engine's.
    """
    for work in (*works[:1] * _FIRST_TICKS, *works[1:]):
        work()
    return side_by_side([lambda w=work: w for work in works], repeats)


def ticks_of_the_resnet(effort: Effort) -> Iterator[Finding]:
    """Slim ResNet-18: EMGD in one pass beside separate passes and beside plain averages.

    The plain average in one pass takes 0.6 of the time of separate passes. The cost of EMGD is
    measured against it; against separate passes, the default engine must not be slower.
    """
    n, batches = 10, noise(10, 10, COLOUR)
    fused, separate, average = _times(
        [
            _emgd(batches, FusedEngine()),
            _emgd(batches, PlainEngine()),
            one_pass([batches], normalised_by_objective(_resnet(n, _SLIM), n)),
        ],
        effort.repeats,
    )
    detail = in_milliseconds(
        ("EMGD", fused), ("separate passes", separate), ("average, one pass", average)
    )
    what = "EMGD tick, slim ResNet-18, n = 10, batches of 10"
    yield Finding(what, "the same with separate passes", fused / separate, 1.0, detail=detail)
    against = "plain average, one pass, normalised by objective"
    yield Finding(what, against, fused / average, 1.35, detail=detail)
    for n in (3, 5):
        batches = noise(n, 32, COLOUR)
        fused, separate, average = _times(
            [
                _emgd(batches, FusedEngine()),
                _emgd(batches, PlainEngine()),
                separate_passes([batches], _resnet(n, _SLIM)),
            ],
            effort.repeats,
        )
        detail = in_milliseconds(
            ("EMGD", fused), ("separate passes", separate), ("average, n passes", average)
        )
        what = f"EMGD tick, slim ResNet-18, n = {n}, batches of 32"
        if n == 5:
            yield Finding(
                what, "the same with separate passes", fused / separate, 1.05, detail=detail
            )
        yield Finding(what, "plain average, n passes", fused / average, 1.03, detail=detail)


def ticks_of_the_full_resnet(effort: Effort) -> Iterator[Finding]:
    """ResNet-18 of 64 to 512 channels: EMGD beside separate passes and the plain average."""
    n, batches = 5, noise(5, 16, COLOUR)
    fused, separate, average = _times(
        [
            _emgd(batches, FusedEngine(), _FULL),
            _emgd(batches, PlainEngine(), _FULL),
            one_pass([batches], normalised_by_objective(_resnet(n, _FULL), n)),
        ],
        effort.repeats,
    )
    detail = in_milliseconds(
        ("EMGD", fused), ("separate passes", separate), ("average, one pass", average)
    )
    what = "EMGD tick, ResNet-18 (64 to 512), n = 5, batches of 16"
    yield Finding(what, "the same with separate passes", fused / separate, 1.0, detail=detail)
    against = "plain average, one pass, normalised by objective"
    yield Finding(what, against, fused / average, 1.35, detail=detail)


def threads_of_the_resnet(effort: Effort) -> Iterator[Finding]:
    """Two threads of torch beside one, the default of ``train`` and ``compare``."""
    before = torch.get_num_threads()
    if before < 2:
        return

    def on(threads: int, work: Callable[[], Any]) -> Callable[[], Any]:
        def limited() -> None:
            torch.set_num_threads(threads)
            work()

        return limited

    try:
        for n, batch_size in ((10, 10), (5, 32)):
            tick = _emgd(noise(n, batch_size, COLOUR), FusedEngine())
            two, one = _times([on(2, tick), on(1, tick)], effort.repeats)
            detail = in_milliseconds(("two threads", two), ("one thread", one))
            what = f"EMGD tick, slim ResNet-18, n = {n}, batches of {batch_size}, two threads"
            yield Finding(what, "one thread", two / one, 1.0, detail=detail)
    finally:
        torch.set_num_threads(before)
