"""A strategy of several processes: how it begins to share its objectives, and where it stops."""

from __future__ import annotations

from typing import Any

from ..distributed import DistributedEngine, Placement, Processes
from ..distributed.launcher import PlacementName
from ..distributed.placement import make_placement

__all__ = ["ask_to_stop", "is_asked_to_stop", "is_stopped", "share_objectives"]


def share_objectives(strategy: Any, placement: Placement | PlacementName) -> None:
    """Train a strategy on several processes from now on.

    :param strategy: strategy; its evaluator logs on process 0 only.
    :param placement: placement of the samples, or its name.
    :raises ValueError: if the placement is unknown, or the process group does not fit.
    """
    strategy.processes, placement = Processes.join(strategy.device), make_placement(placement)
    if strategy.processes.size > 1:
        strategy.engine = DistributedEngine(strategy.engine, strategy.processes, placement)
        if not strategy.processes.is_first:
            strategy.evaluator.loggers = []


def ask_to_stop(strategy: Any) -> None:
    """Stop before the next tick, or with the other processes at the tick on which they agree.

    :param strategy: strategy; see :class:`~avalanche_emgd.distributed.stop_vote.StopVote`.
    """
    if _trains_alone(strategy):
        strategy._stop_training = True
    else:
        strategy.processes.stop.own = True


def is_asked_to_stop(strategy: Any) -> bool:
    """Whether the training of a strategy stops before a next tick.

    :param strategy: strategy, which need not have processes.
    """
    return bool(
        strategy._stop_training or (not _trains_alone(strategy) and strategy.processes.stop.is_set)
    )


def is_stopped(strategy: Any) -> bool:
    """Whether the training of a strategy stops here; all its processes call this function.

    :param strategy: strategy between two ticks or epochs.
    """
    if not _trains_alone(strategy) and strategy.processes.stop.is_decided():
        strategy._stop_training = True
    return bool(strategy._stop_training)


def _trains_alone(strategy: Any) -> bool:
    processes: Processes | None = getattr(strategy, "processes", None)
    return processes is None or processes.size == 1
