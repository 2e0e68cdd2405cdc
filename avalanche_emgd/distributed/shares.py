"""The shares of processes in a tick, and the batches of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ..gradients import Batches
from .digests import digest_of
from .placement import Share

__all__ = ["cut", "cuts_objectives", "digest_of_tick", "is_in_order"]


def cuts_objectives(shares: Sequence[Sequence[Share]], sizes: Sequence[int]) -> bool:
    """Whether a share is less than an objective.

    :param shares: shares of each process.
    :param sizes: samples of each objective.
    """
    return any(s.stop - s.start < sizes[s.objective] for own in shares for s in own)


def is_in_order(shares: Sequence[Sequence[Share]]) -> bool:
    """Whether the samples of a process come before those of the next one.

    :param shares: shares of each process.
    """
    starts = [each.start for own in shares for each in own]
    return starts == sorted(starts)


def digest_of_tick(batches: Batches, shares: Sequence[Sequence[Share]]) -> Tensor:
    """Return a number that differs if samples or shares differ; see :func:`digest_of`.

    :param batches: batches of all objectives.
    :param shares: shares of each process.
    """
    columns = [batches.whole] if isinstance(batches.whole, Tensor) else list(batches.whole)
    placed = [(w, s.objective, s.start, s.stop) for w, own in enumerate(shares) for s in own]
    return digest_of([*columns, torch.tensor(placed)])


def cut(batches: Batches, shares: Sequence[Share]) -> Batches:
    """Cut the batches of a process out of those of a tick.

    :param batches: batches of all objectives.
    :param shares: shares of the process, at least one.
    """
    is_single = isinstance(batches.whole, Tensor)
    columns = [batches.whole] if is_single else list(batches.whole)
    is_adjacent = all(a.stop == b.start for a, b in pairwise(shares))
    if is_adjacent:
        pieces = [column[shares[0].start : shares[-1].stop] for column in columns]
    else:
        pieces = [torch.cat([column[s.start : s.stop] for s in shares]) for column in columns]
    group_of = [g for g, number in enumerate(batches.groups) for _ in range(number)]
    mine = [group_of[share.objective] for share in shares]
    groups = [mine.count(g) for g in dict.fromkeys(mine)]
    whole = pieces[0] if is_single else tuple(pieces)
    return Batches(whole, [s.stop - s.start for s in shares], groups)
