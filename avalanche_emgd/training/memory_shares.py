"""Division of a replay memory's capacity among groups of samples."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["equal_shares", "filled_shares"]


def equal_shares(capacity: int, number: int) -> list[int]:
    """Divide the capacity into equal shares; the first groups get the remainder.

    :param capacity: total number of samples, ≥ 0.
    :param number: number of groups, ≥ 1.
    """
    share, more = divmod(capacity, number)
    return [share + (position < more) for position in range(number)]


def filled_shares(capacity: int, counts: Sequence[int], ranks: Sequence[float]) -> list[int]:
    """Divide the capacity into equal shares that do not exceed the sizes of the groups.

    Groups with fewer samples than their share leave the remainder to larger groups. A remainder of
    the division goes to the first of the larger groups. If there are more groups than ``capacity``,
    the groups with the smallest ranks get one sample each.

    :param capacity: total number of samples, ≥ 0.
    :param counts: number of samples of each group, ≥ 0.
    :param ranks: rank of each group; random ranks make the choice among the groups fair.
    :return: shares that use the whole capacity, or hold all samples.
    """
    level, rest = _level(capacity, counts)
    shares = [min(count, level) for count in counts]
    larger = [position for position, count in enumerate(counts) if count > level]
    if level == 0:
        larger.sort(key=lambda position: ranks[position])
    for position in larger[:rest]:
        shares[position] += 1
    return shares


def _level(capacity: int, counts: Sequence[int]) -> tuple[int, int]:
    """Compute the share of the larger groups, and the remainder of the division.

    Groups with fewer samples than this share use all their samples.
    """
    number = len(counts)
    for position, count in enumerate(sorted(counts)):
        share, rest = divmod(capacity, number - position)
        if count > share:
            return share, rest
        capacity -= count
    return max(counts, default=0), 0
