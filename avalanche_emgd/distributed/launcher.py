"""What a launcher says of a process, and the names of placements; without torch."""

from __future__ import annotations

import os
from typing import Literal

__all__ = ["PlacementName", "rank_of_launcher"]

PlacementName = Literal["auto", "by-objective", "by-sample", "even"]
"""Names of the placements."""


def rank_of_launcher() -> int:
    """Return the number of this process, 0 without a launcher such as ``torchrun``."""
    rank = os.environ.get("RANK", "0")
    return int(rank) if rank.isdecimal() else 0
