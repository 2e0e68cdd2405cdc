"""Limits of time lines and data, checked before memory or time is spent on them."""

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
"""Largest number of tasks of a time line."""

MOST_TICKS = 2**53
"""Largest number of ticks of a time line: double precision represents all of them exactly."""

MOST_CLASSES = 100_000
"""Largest number of outputs of a model; class labels are below this number."""

CHECKED_SAMPLES = 10_000
"""Largest number of training (and of test) samples that are loaded one by one to check them.

Of larger data, this many evenly spread samples are checked at first, and the other samples when
they are delivered. Data in memory are checked completely.
"""

MOST_PIXELS = 100_000_000
"""Largest number of pixels of an image file, and of the size to which images are scaled."""

MOST_EXPANSION = 200
"""Largest ratio of the size of an array in memory, above 64 MiB, to its size in the file."""

MEMORY_SHARE = 0.4
"""Largest share of the free memory that the arrays of a file may take."""
