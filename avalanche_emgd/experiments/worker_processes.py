"""How worker processes start: forked, where that can be, from one that has imported everything."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver

__all__ = ["START_METHOD", "importing_early", "interrupts_wait", "preload"]

START_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""Of :mod:`multiprocessing`. An import takes each process seconds, also one that replaces another
that has died; forks of one server need none."""

# Of the server. It imports Dask by itself in any case.
_MODULES = ["distributed", "avalanche_emgd.experiments.worker"]


def preload() -> None:
    """Say what the server of forks imports; without effect if it runs already."""
    if START_METHOD == "forkserver":
        multiprocessing.get_context(START_METHOD).set_forkserver_preload(_MODULES)


@contextmanager
def importing_early(wanted: bool = True) -> Iterator[None]:
    """Context in which the server of forks imports, beside what this process does meanwhile.

    It goes on running after the context, ready for workers, unless an error ends the context.

    :param wanted: whether to start it; nothing happens if not.
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
    """Process id of the server, if this process has started one."""
    known = getattr(forkserver, "_forkserver", None)
    pid: int | None = getattr(known, "_forkserver_pid", None)
    return pid


def _end() -> None:
    """End the server, which would keep the output of this process open until it has imported."""
    pid = _server()
    if pid is not None and hasattr(os, "waitid"):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
            # Left to be waited for by `multiprocessing`, which would start another one then.
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Context that Ctrl-C does not interrupt, nor ever the processes and threads started in it.

    A cluster that is interrupted while it starts cannot be ended. Its processes must ignore Ctrl-C,
    which this process handles.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
