"""Ticks of the MLP on whole streams."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from avalanche_emgd import MLP
from avalanche_emgd.gradients import FusedEngine, PlainEngine

from .by_hand import BY_HAND, emgd_by_hand, one_pass, separate_passes
from .clock import side_by_side
from .finding import Effort, Finding, in_milliseconds
from .strategy import emgd
from .streams import IMAGE, batches_of, equal_tasks

__all__ = ["small_batches", "ticks_of_the_mlp"]


def _mlp(n: int) -> MLP:
    torch.manual_seed(0)
    return MLP(6 * n)


def ticks_of_the_mlp(effort: Effort) -> Iterator[Finding]:
    """EMGD beside its arithmetic by hand and beside the plain average with n passes."""
    for n in (3, 5, 10):
        stream = equal_tasks(n, 128, effort.ticks, IMAGE)
        ticks = batches_of(stream)
        ours, average, joint, least = (t / effort.ticks for t in side_by_side(
            [
                lambda s=stream, n=n: emgd(s, _mlp(n)),
                lambda t=ticks, n=n: separate_passes(t, _mlp(n)),
                lambda t=ticks, n=n: one_pass(t, _mlp(n)),
                lambda t=ticks, n=n: emgd_by_hand(t, _mlp(n)),
            ],
            effort.repeats,
        ))  # fmt: skip
        detail = in_milliseconds(
            ("EMGD", ours), ("by hand", least), ("n passes", average), ("one pass", joint)
        )
        what = f"EMGD tick, MLP, n = {n}, batches of 128"
        yield Finding(what, BY_HAND, ours / least, 1.10, detail=detail)
        yield Finding(what, "plain average, n passes", ours / average, 1.10, detail=detail)


def small_batches(effort: Effort) -> Iterator[Finding]:
    """EMGD in one pass for ten small batches, beside its arithmetic by hand."""
    stream, ticks = equal_tasks(10, 10, 2 * effort.ticks, IMAGE), 2 * effort.ticks
    batches = batches_of(stream)
    fused, plain, least = (t / ticks for t in side_by_side(
        [
            lambda: emgd(stream, _mlp(10), engine=FusedEngine()),
            lambda: emgd(stream, _mlp(10), engine=PlainEngine()),
            lambda: emgd_by_hand(batches, _mlp(10)),
        ],
        effort.repeats,
    ))  # fmt: skip
    detail = in_milliseconds(("fused", fused), ("by hand", least), ("plain", plain))
    what = "EMGD tick, MLP, n = 10, fused engine, batches of 10"
    yield Finding(what, BY_HAND, fused / least, 1.10, detail=detail)
