"""A strategy of several processes: how it begins to share its objectives, and where it stops."""

from __future__ import annotations

from typing import Any

from ..distributed import DistributedEngine, Placement, Processes
from ..distributed.launcher import PlacementName
from ..distributed.placement import make_placement
from ..distributed.stop_vote import StopVote

__all__ = ["ask_to_stop", "is_stopped", "share_objectives", "will_stop"]


def share_objectives(strategy: Any, placement: Placement | PlacementName) -> None:
    """Train a strategy on several processes from now on.

    :param strategy: strategy; its evaluator logs on process 0 only.
    :param placement: placement of the samples, or its name.
    :raises ValueError: if the placement is unknown, or the process group does not fit.
    """
    processes = strategy.processes or Processes.join(strategy.device)
    strategy.processes, placement = processes, make_placement(placement)
    if processes.size > 1:
        strategy.engine = DistributedEngine(strategy.engine, processes, placement)
        if not processes.is_first:
            strategy.evaluator.loggers = []


def ask_to_stop(strategy: Any) -> None:
    """Stop before the next tick, or with the other processes at the tick on which they agree.

    :param strategy: strategy; see :class:`~avalanche_emgd.distributed.stop_vote.StopVote`.
    """
    vote = _vote_of(strategy)
    if vote is None:
        strategy._stop_training = True
    else:
        vote.own = True


def will_stop(strategy: Any) -> bool:
    """Whether :func:`ask_to_stop` has been called, and training has not stopped yet.

    :param strategy: strategy, which need not have processes.
    """
    vote = _vote_of(strategy)
    return bool(strategy._stop_training or (vote is not None and vote.is_set))


def is_stopped(strategy: Any) -> bool:
    """Whether the training of a strategy stops here; all its processes call this function.

    :param strategy: strategy between two ticks or epochs.
    """
    vote = _vote_of(strategy)
    if vote is not None and vote.is_decided():
        strategy._stop_training = True
    return bool(strategy._stop_training)


def _vote_of(strategy: Any) -> StopVote | None:
    """Vote of the processes of a strategy; ``None`` if it trains by itself."""
    processes: Processes | None = getattr(strategy, "processes", None)
    return None if processes is None or processes.size == 1 else processes.stop
