"""What a launcher says of a process, and the names of placements; without torch."""

from __future__ import annotations

import os
from typing import Literal

__all__ = ["PlacementName", "rank_of_launcher", "size_of_launcher"]

PlacementName = Literal["auto", "by-objective", "by-sample", "even"]
"""Names of the placements."""


def rank_of_launcher() -> int:
    """Return the number of this process, 0 without a launcher such as ``torchrun``."""
    rank = os.environ.get("RANK", "0")
    return int(rank) if rank.isdecimal() else 0


def size_of_launcher() -> int:
    """Return the number of processes that a launcher has started, 1 without one."""
    size = os.environ.get("WORLD_SIZE", "1")
    return int(size) if size.isdecimal() else 1
