"""Training that stops on request."""

from __future__ import annotations

from pathlib import Path

__all__ = ["TrainingStopped"]


class TrainingStopped(Exception):  # noqa: N818  # a stop on request is no error
    """Training that has stopped on request, after it has written a checkpoint.

    :param path: path of the checkpoint.
    :param number: number of the signal.
    """

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(path, number)  # the arguments of copies in other processes
        self.path = path
        self.number = number

    def __str__(self) -> str:
        return f"Training has stopped. Checkpoint: {self.path}"
