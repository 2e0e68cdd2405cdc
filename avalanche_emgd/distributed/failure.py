"""Failures: all processes name the error of the one that has failed."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from .._text_files import first_line

__all__ = ["FailureBoard", "ProcessError"]

_PATIENCE = 5.0  # seconds in which other processes can say why they have ended


class ProcessError(RuntimeError):
    """Another process has ended, or processes no longer compute the same."""


class FailureBoard:
    """Messages of processes that end, in the key-value store of the process group.

    :param store: store that all processes reach.
    :param rank: number of this process.
    :param size: number W of processes.
    """

    def __init__(self, store: Any, rank: int, size: int) -> None:
        self._store, self._rank, self._size = store, rank, size
        self._run = 0

    def begin(self) -> int:
        """Begin another training; messages of earlier ones no longer count.

        :return: number of the training among all that use the store, the same on all processes.
        """
        with suppress(RuntimeError):  # of a store that has gone, or cannot delete
            # No process begins the next training before all have begun this one.
            self._run = (self._store.add("avalanche_emgd/begun", 1) - 1) // self._size + 1
            self._store.delete_key(self._key("failed", self._rank))
        return self._run

    def report(self, error: BaseException) -> None:
        """Say why this process ends.

        After an error between two trainings, the others may have begun the next one already.
        """
        for run in (self._run, self._run + 1):
            self._set("failed", f"{type(error).__name__}: {first_line(error)}", run)

    def explain(self, error: RuntimeError) -> ProcessError:
        """Make the error of a collective operation that has failed; it names the process.

        :param error: error of the operation.
        """
        self._set("waits", "")
        others = [rank for rank in range(self._size) if rank != self._rank]
        silent = others
        until = time.monotonic() + _PATIENCE
        try:
            while silent and time.monotonic() < until:
                for rank in others:
                    if self._has("failed", rank):
                        return ProcessError(
                            f"process {rank} has ended: {self._get('failed', rank)}"
                        )
                silent = [rank for rank in others if not self._has("waits", rank)]
                time.sleep(0.05)
        except RuntimeError:  # the store has gone with the process that holds it
            return ProcessError(
                "the process with the store, usually process 0, has ended without a message: "
                f"{first_line(error)}"
            )
        if not silent:
            return ProcessError(f"the processes cannot exchange numbers: {first_line(error)}")
        if len(silent) == 1:
            words = f"process {silent[0]} has ended, or hangs,"
        else:
            words = f"processes {', '.join(map(str, silent))} have ended, or hang,"
        return ProcessError(f"{words} without a message: {first_line(error)}")

    def _key(self, word: str, rank: int, run: int | None = None) -> str:
        return f"avalanche_emgd/{self._run if run is None else run}/{word}/{rank}"

    def _set(self, word: str, text: str, run: int | None = None) -> None:
        try:
            self._store.set(self._key(word, self._rank, run), text)
        except RuntimeError:  # no process is left to read it
            return

    def _has(self, word: str, rank: int) -> bool:
        return bool(self._store.check([self._key(word, rank)]))

    def _get(self, word: str, rank: int) -> str:
        key = self._key(word, rank)
        self._store.wait([key], timedelta(seconds=_PATIENCE))
        return bytes(self._store.get(key)).decode(errors="replace")
