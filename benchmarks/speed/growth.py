"""Growth of the cost of a tick with the number of objectives."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from avalanche_emgd import MLP
from avalanche_emgd.gradients import FusedEngine

from .clock import side_by_side
from .finding import Effort, Finding
from .strategy import core_tick, with_step
from .streams import IMAGE

__all__ = ["growth"]


def growth(effort: Effort) -> Iterator[Finding]:
    """Cost as n grows while the samples of a tick stay the same."""
    total, times, shares = 1200, {}, {}
    for n in (2, 5, 10, 20, 50, 100):
        model = MLP(60)
        batches = [
            (torch.randn(total // n, *IMAGE), torch.randint(60, (total // n,))) for _ in range(n)
        ]
        tick = with_step(core_tick(model, batches, FusedEngine()), model)
        gradients, size = tick(), sum(p.numel() for p in model.parameters())
        times[n], gramian = side_by_side(
            [lambda t=tick: t, lambda g=gradients, s=size: lambda: g.gramian(s)],
            2 * effort.repeats + 1,
        )
        shares[n] = gramian / times[n]
    worst = max(times[n] / times[2] / (n / 2) for n in times)
    detail = ", ".join(f"n = {n}: {1000 * t:.1f} ms" for n, t in times.items())
    what = f"EMGD tick without the loop, MLP, {total} samples"
    yield Finding(
        f"{what}, n from 2 to 100", "growth in proportion to n", worst, 1.0, detail=detail
    )
    detail = ", ".join(f"n = {n}: {100 * share:.0f} %" for n, share in shares.items())
    share = max(shares[n] for n in (2, 5, 10, 20))
    yield Finding(f"{what}, Gramian, n up to 20", "the tick", share, 0.1, detail=detail)
