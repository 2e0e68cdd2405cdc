"""Signals that end a command: each raises an exception, so that files are cleaned up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..distributed.launcher import size_of_launcher

__all__ = ["Ended", "raised_on_signals", "status_of"]


class Ended(KeyboardInterrupt):
    """The end of a command by a signal other than SIGINT.

    :param number: number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def raised_on_signals() -> Iterator[None]:
    """Context in which SIGTERM and SIGHUP raise :class:`Ended`.

    Signals that are ignored, as SIGHUP by ``nohup``, stay so. The context has no effect outside of
    the main thread, and in processes of ``torchrun``, which ends them by SIGTERM after the error of
    one.
    """
    if threading.current_thread() is not threading.main_thread() or size_of_launcher() != 1:
        yield
        return
    kinds = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    changed = [kind for kind in kinds if signal.getsignal(kind) == signal.SIG_DFL]
    for kind in changed:
        signal.signal(kind, _raise)
    try:
        yield
    finally:
        for kind in changed:
            signal.signal(kind, signal.SIG_DFL)


def _raise(number: int, frame: Any) -> None:
    raise Ended(number)


def status_of(error: BaseException) -> int:
    """Return the exit status after a signal, 128 and its number; 130 after Ctrl-C."""
    return 128 + (error.number if isinstance(error, Ended) else signal.SIGINT)
