"""How the capacity of a replay memory is divided among groups of samples."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["equal_shares", "filled_shares"]


def equal_shares(capacity: int, number: int) -> list[int]:
    """Equal shares; the first groups get what does not divide.

    :param capacity: number of samples in all, ≥ 0.
    :param number: number of groups, ≥ 1.
    """
    share, more = divmod(capacity, number)
    return [share + (position < more) for position in range(number)]


def filled_shares(capacity: int, counts: Sequence[int], ranks: Sequence[float]) -> list[int]:
    """Equal shares of which no group gets more than it has samples: the others get the rest.

    The first groups that have more samples get what does not divide. If there are more groups than
    places, the groups with the smallest ranks get one each.

    :param capacity: number of samples in all, ≥ 0.
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
    """Largest share that all groups can have, of which the smaller ones use less; and the rest."""
    number = len(counts)
    for position, count in enumerate(sorted(counts)):
        share, rest = divmod(capacity, number - position)
        if count > share:
            return share, rest
        capacity -= count
    return max(counts, default=0), 0
