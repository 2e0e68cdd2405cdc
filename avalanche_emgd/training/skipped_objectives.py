"""Ticks of which objectives are left out, because their loss or gradient is not finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .nonfinite import stop_at
from .tick import Tick

__all__ = ["leave_out"]


def leave_out(strategy: Any, bad: Sequence[int], losses: Sequence[float]) -> bool:
    """Leave out objectives of the current tick, and forward the others anew.

    :param strategy: strategy between the backward pass and the weights of a tick.
    :param bad: positions of the objectives that are not finite.
    :param losses: losses of all objectives.
    :return: whether any objective is left.
    :raises ValueError: if the run is to stop there.
    """
    tick = strategy.now
    names, found = [tick.objectives[i] for i in bad], [losses[i] for i in bad]
    if strategy.nonfinite.action == "stop":
        raise stop_at(names, found, strategy.tick)
    strategy.nonfinite.note(names, strategy.tick, found)
    for buffer, before in zip(strategy.model.buffers(), tick.buffers_before, strict=True):
        buffer.data.copy_(before)
    rest = [part for i, part in enumerate(tick.parts) if i not in bad]
    skipped = [*tick.skipped, *names]
    if not rest:
        tick.skipped, tick.weights = skipped, torch.zeros(len(tick.parts), dtype=torch.float64)
        strategy.nonfinite.settle(has_update=False, tick=strategy.tick)
        return False
    strategy.mbatch.keep(rest)
    if strategy.replay is not None:
        for name in names:
            strategy.replay.drawn.pop(name, None)
    strategy.now = Tick(strategy.mbatch.parts)
    strategy.now.skipped = skipped
    strategy.mb_output = strategy.forward()
    strategy._trigger("after_forward")
    strategy.loss = strategy._make_empty_loss() + strategy.criterion()
    return True
