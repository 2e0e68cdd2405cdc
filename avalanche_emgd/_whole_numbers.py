"""Integers of Python and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_whole"]


def is_whole(value: Any) -> bool:
    """Whether a value is an integer of Python or NumPy, and no boolean."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
