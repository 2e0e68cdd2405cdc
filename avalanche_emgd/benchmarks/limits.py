"""How large time lines and data may be; checked before memory or time is spent on them."""

from __future__ import annotations

__all__ = [
    "CHECKED_SAMPLES",
    "MEMORY_SHARE",
    "MOST_CLASSES",
    "MOST_EXPANSION",
    "MOST_PIXELS",
    "MOST_TASKS",
    "MOST_TICKS",
]

MOST_TASKS = 10_000
"""Tasks of the largest time line."""

MOST_TICKS = 2**53
"""Ticks of the longest time line: positions in it are exact as fractions of it."""

MOST_CLASSES = 100_000
"""Outputs that a benchmark may ask of a model: labels are below it."""

CHECKED_SAMPLES = 10_000
"""Samples of a benchmark's training (and test) data that are loaded one by one to check them.

Larger data are checked at evenly spread samples, and the others when they are delivered. Data in
memory are checked as a whole.
"""

MOST_PIXELS = 100_000_000
"""Pixels of an image file, and of the size to which images are scaled."""

MOST_EXPANSION = 200
"""How many times larger than in its file an array of more than 64 MiB may be."""

MEMORY_SHARE = 0.4
"""Share of the free memory that the arrays of a file may take."""
