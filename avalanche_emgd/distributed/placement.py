"""Placements: which samples of a tick each process takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from .._near import did_you_mean
from .launcher import PlacementName

__all__ = [
    "Automatic",
    "ByObjective",
    "BySample",
    "Even",
    "Placement",
    "Share",
    "make_placement",
]

# Samples of the busiest process, relative to an equal share, up to which whole objectives stay.
_BALANCED = 1.25


@dataclass(frozen=True)
class Share:
    """Samples ``start:stop`` of a minibatch, all of one objective, that a process takes.

    :param objective: position of the objective, from 0.
    :param start: first sample in the minibatch.
    :param stop: end of the samples.
    """

    objective: int
    start: int
    stop: int


class Placement(ABC):
    """Rule that distributes the samples of a tick over processes.

    All processes apply the rule to the same numbers, so that each knows the shares of all.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abstractmethod
    def shares(
        self, sizes: Sequence[int], groups: Sequence[int], processes: int, *, coupled: bool
    ) -> list[list[Share]]:
        """Distribute the samples of a tick.

        :param sizes: samples of each of the n objectives, in the order of the minibatch.
        :param groups: number of successive objectives in each batch of the forward pass.
        :param processes: number W of processes.
        :param coupled: whether the output of a sample depends on the other samples of its batch, as
            with batch norm.
        :return: for each process its shares, in the order of the minibatch. Each sample is in one
            share. A process may have none.
        """


class ByObjective(Placement):
    """Whole objectives: each process takes successive batches of the tick.

    A batch goes to the process in whose equal part of the minibatch its middle lies. No process has
    more than an equal part and one batch. Objectives that share a batch stay together.
    """

    def shares(
        self, sizes: Sequence[int], groups: Sequence[int], processes: int, *, coupled: bool
    ) -> list[list[Share]]:
        """See :meth:`Placement.shares`."""
        found: list[list[Share]] = [[] for _ in range(processes)]
        edges, total = [0, *accumulate(sizes)], sum(sizes)
        first = 0
        for number in groups:
            last = first + number
            middle = edges[first] + edges[last]  # twice, so that it is a whole number
            own = found[min(processes - 1, middle * processes // (2 * total))]
            own += [Share(k, edges[k], edges[k + 1]) for k in range(first, last)]
            first = last
        return found


class BySample(Placement):
    """A share of every objective for each process, as equal as whole samples allow."""

    def shares(
        self, sizes: Sequence[int], groups: Sequence[int], processes: int, *, coupled: bool
    ) -> list[list[Share]]:
        """See :meth:`Placement.shares`."""
        starts = [0, *accumulate(sizes)]
        return [
            [
                Share(k, starts[k] + size * w // processes, starts[k] + size * (w + 1) // processes)
                for k, size in enumerate(sizes)
                if size * w // processes < size * (w + 1) // processes
            ]
            for w in range(processes)
        ]


class Even(Placement):
    """An equal part of the minibatch for each process, as it is cut in its order.

    Where the number of objectives is a multiple of the number of processes, these are whole
    objectives. Otherwise some objectives are cut. A process has few rows of the gradients, so that
    less is sent than with a share of every objective.
    """

    def shares(
        self, sizes: Sequence[int], groups: Sequence[int], processes: int, *, coupled: bool
    ) -> list[list[Share]]:
        """See :meth:`Placement.shares`."""
        total, edges = sum(sizes), [0, *accumulate(sizes)]
        cuts = [total * w // processes for w in range(processes + 1)]
        return [
            [
                Share(k, max(start, low), min(stop, high))
                for k, (start, stop) in enumerate(pairwise(edges))
                if max(start, low) < min(stop, high)
            ]
            for low, high in pairwise(cuts)
        ]


class Automatic(Placement):
    """Whole objectives where these are balanced or samples are coupled, and equal parts elsewhere.

    Whole objectives are balanced while no process has more than 1.25 equal parts of the minibatch.
    """

    def shares(
        self, sizes: Sequence[int], groups: Sequence[int], processes: int, *, coupled: bool
    ) -> list[list[Share]]:
        """See :meth:`Placement.shares`."""
        whole = ByObjective().shares(sizes, groups, processes, coupled=coupled)
        busiest = max(sum(each.stop - each.start for each in own) for own in whole)
        if coupled or busiest * processes <= _BALANCED * sum(sizes):
            return whole
        return Even().shares(sizes, groups, processes, coupled=coupled)


_BY_NAME: dict[str, type[Placement]] = {
    "auto": Automatic,
    "by-objective": ByObjective,
    "by-sample": BySample,
    "even": Even,
}


def make_placement(spec: Placement | PlacementName) -> Placement:
    """Make a placement from its name; a placement stays as it is.

    :raises ValueError: if the name is unknown.
    :raises TypeError: if it is neither a name nor a placement.
    """
    if isinstance(spec, Placement):
        return spec
    if not isinstance(spec, str):
        raise TypeError(
            f"`distributed` must be a placement or one of {', '.join(map(repr, _BY_NAME))}, found "
            f"{spec!r}."
        )
    if spec not in _BY_NAME:
        raise ValueError(
            f"`distributed` must be one of {', '.join(map(repr, _BY_NAME))}, found {spec!r}."
            f"{did_you_mean(spec, _BY_NAME)}"
        )
    return _BY_NAME[spec]()
