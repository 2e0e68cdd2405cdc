"""Deliveries: which samples of an experience a task delivers at a tick."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Delivery"]


@dataclass(frozen=True)
class Delivery:
    """One minibatch of one task at one tick: samples ``start:stop`` of an experience's data set."""

    task: int
    start: int
    stop: int
