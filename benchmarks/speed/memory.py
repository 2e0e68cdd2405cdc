"""Memory of the gradients of several objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from avalanche_emgd import MLP
from avalanche_emgd.gradients import FusedEngine, PlainEngine
from avalanche_emgd.models import ResNet18

from .by_hand import separate_passes
from .finding import Effort, Finding
from .meters import PeakBytes, most_saved
from .strategy import core_tick, emgd
from .streams import COLOUR, IMAGE, batches_of, equal_tasks

__all__ = ["peak_memory"]


def peak_memory(effort: Effort) -> Iterator[Finding]:
    """Tensors in memory at one time, beyond those of a plain step, in numbers of parameters."""
    n = 10
    model = MLP(62, hidden=(1024, 1024))
    size = sum(p.numel() for p in model.parameters())
    batches = [(torch.randn(4, *IMAGE), torch.randint(62, (4,))) for _ in range(n)]

    def plain() -> None:
        for x, y in batches:
            (cross_entropy(model(x), y) / n).backward()

    def peak(work: Callable[[], Any]) -> float:
        with PeakBytes() as meter:
            work()  # the tick after it is compared, too; the rows that engines keep count below
            model.zero_grad()
            meter.peak = 0
            work()
            model.zero_grad()
        return meter.peak / (4 * size)

    base = peak(plain)
    what = f"peak memory beyond a plain step, MLP, n = {n}"
    for name, goal, engine in (
        ("PlainEngine()", n + 1.0, PlainEngine()),
        ("FusedEngine()", n + 1.0, FusedEngine()),
        ("FusedEngine(lean=True)", 2.0, FusedEngine(lean=True)),
    ):
        found = peak(core_tick(model, batches, engine))
        detail = f"{found:.2f} P, plain step {base:.2f} P"
        yield Finding(f"{what}, {name}", "parameters P", found - base, goal, detail=detail)
    stream = equal_tasks(5, 8, 2, COLOUR)
    ours = most_saved(emgd(stream, ResNet18(30, width=20)))
    one = most_saved(separate_passes(batches_of(stream), ResNet18(30, width=20)))
    what = "what graphs keep at one time, slim ResNet-18, n = 5, batches of 8"
    detail = f"{ours / 1e6:.1f} MB, one pass {one / 1e6:.1f} MB"
    yield Finding(what, "n passes of a plain step", ours / (5 * one), 1.1, detail=detail)
