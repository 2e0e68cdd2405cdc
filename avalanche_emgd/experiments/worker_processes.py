"""The start of worker processes: where possible, a server with all imports forks them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker

__all__ = ["START_METHOD", "importing_early", "interrupts_wait", "preload"]

START_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""Start method of :mod:`multiprocessing`. Imports take a new process seconds; the forks of a server
share its imports."""

# Modules that the server imports. It imports Dask in any case.
_MODULES = ["distributed", "avalanche_emgd.experiments.worker"]


def preload() -> None:
    """Set the imports of the server of forks; without effect if it runs already."""
    if START_METHOD == "forkserver":
        multiprocessing.get_context(START_METHOD).set_forkserver_preload(_MODULES)


@contextmanager
def importing_early(wanted: bool = True) -> Iterator[None]:
    """Context in which the server of forks imports, while this process goes on.

    The server runs on after the context, ready for workers, unless an error ends the context.

    :param wanted: whether to start the server; otherwise the context has no effect.
    """
    if not wanted or START_METHOD != "forkserver" or _server() is not None:
        yield
        return
    with interrupts_wait():
        preload()
        forkserver.ensure_running()
    try:
        yield
    except BaseException:
        _end()
        raise


def _server() -> int | None:
    """Return the process id of the server, if this process has started one."""
    known = getattr(forkserver, "_forkserver", None)
    pid: int | None = getattr(known, "_forkserver_pid", None)
    return pid


def _end() -> None:
    """End the server, which would keep the output of this process open until its imports end."""
    pid = _server()
    if pid is not None and hasattr(os, "waitid"):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
            # `multiprocessing` waits for the ended server; otherwise it would start another one.
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Context that Ctrl-C does not interrupt; neither does it interrupt processes started there.

    A cluster that is interrupted during its start cannot be ended. Its processes ignore Ctrl-C,
    which this process handles. Handlers of other signals that end a process wait, too.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # its start would end the blocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _handlers_wait():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _handlers_wait() -> Iterator[None]:
    """Context at whose end the handlers of SIGTERM and SIGHUP are called, if these have come.

    These signals are not blocked, because processes started in the context inherit blocked ones.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {kind: signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGHUP)}
    own = {kind: handler for kind, handler in handlers.items() if callable(handler)}
    for kind in own:
        signal.signal(kind, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for kind, handler in own.items():
            signal.signal(kind, handler)
        if came:
            signal.raise_signal(came[0])
