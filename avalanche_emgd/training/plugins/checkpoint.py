"""Checkpoints of a run while it trains."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..._whole_numbers import is_whole
from ..state.files import load_checkpoint, save_checkpoint
from ..stopping import TrainingStopped
from .base import MultiGradientPlugin

__all__ = ["CheckpointPlugin"]


class CheckpointPlugin(MultiGradientPlugin):
    """Plugin that writes the strategy's state into a file, every few ticks and at the end.

    The file always has the last whole checkpoint: a new one is written beside it, and then takes
    its place. Another process continues from it with the same strategy and the same stream:

    .. code-block:: python

        checkpoint = CheckpointPlugin("run.pt", every=500)
        strategy = EMGDStrategy(model, optimizer=optimizer, memory_size=50, plugins=[checkpoint])
        checkpoint.restore(strategy)  # if there is a checkpoint
        strategy.train(benchmark.train_stream)

    :param path: path of the file; its folder is made if it does not exist.
    :param every: number of ticks between two checkpoints, ≥ 1; if omitted, checkpoints are written
        at the end of training, and when the process is asked to stop (:meth:`stopping`).
    :param at_end: whether to write a checkpoint at the end of training.
    :raises ValueError: if ``every`` is no whole number of at least 1, or the folder cannot be made.
    """

    def __init__(self, path: str | Path, every: int | None = None, at_end: bool = True) -> None:
        super().__init__()
        if every is not None and (not is_whole(every) or every < 1):
            raise ValueError(f"`every` must be a whole number, at least 1, found {every!r}.")
        self.path = Path(path)
        self.every = every
        self.at_end = at_end
        self._stops: int | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"`path` {str(path)!r} is in no folder that can be made: {error.strerror}."
            ) from None
        if self.path.is_dir():
            raise ValueError(f"`path` {str(path)!r} is a folder: name a file in it.")

    def restore(self, strategy: Any) -> bool:
        """Load the checkpoint into a strategy, if there is one.

        :param strategy: strategy with the arguments of the saved one, before training.
        :return: whether there was a checkpoint.
        :raises StateError: if the file is damaged, foreign or of a newer release, or belongs to
            another strategy.
        """
        if not self.path.is_file():
            return False
        strategy.load_state_dict(load_checkpoint(self.path))
        return True

    def write(self, strategy: Any) -> None:
        """Write a checkpoint now; the files of loggers are brought to the same tick.

        :param strategy: strategy between two ticks.
        :raises ValueError: if the file cannot be written; the last good one stays.
        """
        for logger in strategy.evaluator.loggers:
            flush = getattr(getattr(logger, "writer", None), "flush", None)
            if flush is not None:
                flush()
        save_checkpoint(self.path, strategy.state_dict())

    def after_tick(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint if one is due, and stop if the process has been asked to.

        :raises TrainingStopped: if the process has been asked to stop.
        """
        due = self.every is not None and strategy.clock.train_iterations % self.every == 0
        if due or self._stops is not None:
            self.write(strategy)
        if self._stops is not None:
            raise TrainingStopped(self.path, self._stops)

    def after_training(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint, unless ``at_end`` is false."""
        if self.at_end:
            self.write(strategy)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Context in which SIGINT and SIGTERM write a checkpoint at the end of the tick.

        Training then raises :class:`TrainingStopped`. The second signal ends the process at once.
        Outside of the main thread, the context has no effect.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self._ask) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)
            self._stops = None

    def _ask(self, number: int, frame: Any) -> None:
        if self._stops is not None:
            raise KeyboardInterrupt
        self._stops = number

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the file's place is no part of the state."""
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Restore nothing."""
