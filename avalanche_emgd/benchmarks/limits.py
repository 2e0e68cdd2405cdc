"""How large a time line may be."""

from __future__ import annotations

__all__ = ["MOST_TASKS", "MOST_TICKS"]

MOST_TASKS = 10_000
"""Tasks of the largest time line."""

MOST_TICKS = 2**53
"""Ticks of the longest time line: positions in it are exact as fractions of it."""
