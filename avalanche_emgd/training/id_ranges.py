"""Sets of integers by the ranges that they consist of."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["ids_in_ranges", "ranges_of"]


def ranges_of(ids: Tensor) -> Tensor:
    """Compress distinct ids ``[n]`` into ranges ``[r, 2]``: first and last id, both inclusive."""
    ordered = ids.sort().values
    starts = torch.ones(len(ordered), dtype=torch.bool)
    starts[1:] = ordered.diff() > 1
    return torch.stack([ordered[starts], ordered[starts.roll(-1)]], dim=1)


def ids_in_ranges(ranges: Tensor) -> Tensor:
    """Expand ranges ``[r, 2]`` into ascending ids ``[n]``; see :func:`ranges_of`."""
    lengths = ranges[:, 1] - ranges[:, 0] + 1
    starts = (ranges[:, 0] - (lengths.cumsum(0) - lengths)).repeat_interleave(lengths)
    return starts + torch.arange(len(starts))
