"""The tick at which all processes stop training."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["Request", "StopVote"]

_GRACE = 10.0  # seconds in which the others can ask to stop at the same place
_PAUSE = 0.005  # seconds between two looks into the store


class Request:
    """Wish of a process, of which all processes learn with the Gramian of a tick."""

    def __init__(self) -> None:
        self.own = False
        """Whether this process has the wish; the next Gramian tells the others."""
        self.common = False
        """Whether any process had it at the last Gramian, the same on all processes."""


class StopVote(Request):
    """Wish to stop training, and the decision where all processes do so.

    Wherever all processes ask, they stop there, as one process does. Where some ask before the
    Gramian of a tick, all processes stop after this tick. Where some ask after it, the next Gramian
    tells the others, and all processes stop one tick later.

    All processes call :meth:`begin` and :meth:`is_decided` in the same order.

    :param store: key-value store that all processes reach.
    :param size: number W of processes.
    """

    def __init__(self, store: Any, size: int) -> None:
        super().__init__()
        self._store, self._size = store, size
        self._run, self._place = 0, 0

    def begin(self, run: int) -> None:
        """Begin a training, and forget wishes from before it, as Avalanche's ``train`` does.

        :param run: number of the training among all that use the store.
        """
        self._run, self._place = run, 0
        self.own = self.common = False

    @property
    def is_set(self) -> bool:
        """Whether this process asks, or training stops after this tick."""
        return self.own or self.common

    def is_decided(self) -> bool:
        """Return whether all processes stop at this place, and forget the wish if so."""
        self._place += 1
        if not (self.common or (self.own and self._is_unanimous())):
            return False
        self.own = self.common = False
        return True

    def _is_unanimous(self) -> bool:
        """Whether all processes ask at this place; the first to know decides it for all."""
        votes, decision = (
            f"avalanche_emgd/{self._run}/stop/{self._place}/{word}"
            for word in ("votes", "decision")
        )
        try:
            is_last = self._store.add(votes, 1) == self._size
            until = time.monotonic() + _GRACE
            while not is_last and time.monotonic() < until and not self._store.check([decision]):
                time.sleep(_PAUSE)
            word = self._store.compare_set(decision, "", "yes" if is_last else "no")
        except RuntimeError:  # the store has gone with its process, which the next exchange names
            return False
        return bytes(word) == b"yes"
