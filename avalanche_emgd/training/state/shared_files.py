"""Checkpoints of several processes: one file, which process 0 writes and reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...distributed import Processes
from ...distributed.plain_values import broadcast_value, gather_values
from .errors import StateError
from .files import load_checkpoint, save_checkpoint

__all__ = ["load_shared", "save_shared"]


def save_shared(path: Path, strategy: Any, processes: Processes | None) -> None:
    """Write the checkpoint of a strategy once; all processes call this function.

    Parameters, optimizer, memory, weighting, metrics and random states are the same everywhere, and
    the file has them from process 0. Gradient engines note which passes they have compared; the
    file has the notes of each process.

    :param path: path of the file, in an existing folder of process 0.
    :param strategy: strategy between two ticks.
    :param processes: processes that train together; ``None`` for one by itself.
    :raises ValueError: on process 0, if the file cannot be written.
    :raises ProcessError: on the other processes, if process 0 fails.
    """
    if processes is None or processes.size == 1:
        save_checkpoint(path, strategy.state_dict())
        return
    engines = gather_values(processes, strategy.engine.state_dict(), "checkpoints")
    if processes.is_first:
        save_checkpoint(path, {**strategy.state_dict(), "engines": engines})
    # Until the file is there: a launcher ends all processes when one of them ends.
    processes.wait()


def load_shared(path: Path, processes: Processes | None) -> dict[str, Any] | None:
    """Read a checkpoint on process 0, for all processes; all of them call this function.

    :param path: path of the file.
    :param processes: processes that train together; ``None`` for one by itself.
    :return: the state; ``None`` if process 0 finds no file.
    :raises StateError: on all processes, if the file is damaged, of another kind, or of a newer
        release.
    """
    if processes is None or processes.size == 1:
        return load_checkpoint(path) if path.is_file() else None
    found: dict[str, Any] = {}
    if processes.is_first and path.is_file():
        try:
            found = {"state": load_checkpoint(path)}
        except StateError as error:
            found = {"error": str(error)}
    found = broadcast_value(processes, found)
    if "error" in found:
        raise StateError(found["error"])
    return found.get("state")
