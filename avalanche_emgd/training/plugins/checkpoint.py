"""Checkpoints of a run while it trains."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..._numbers import check_whole
from ..._paths import checked_path
from ...distributed.launcher import size_of_launcher
from ..state.shared_files import load_shared, save_shared
from ..stopping import TrainingStopped
from .base import MultiGradientPlugin

__all__ = ["CheckpointPlugin"]

_ONE_REQUEST = 10.0  # seconds in which the signals of launcher and user count as one


class CheckpointPlugin(MultiGradientPlugin):
    """Plugin that writes the strategy's state into a file, every few ticks and at the end.

    The file always has the last whole checkpoint: a new one is written beside it, and then takes
    its place. Another process continues from it with the same strategy and the same stream:

    .. code-block:: python

        checkpoint = CheckpointPlugin("run.pt", every=500)
        strategy = EMGDStrategy(model, optimizer=optimizer, memory_size=50, plugins=[checkpoint])
        checkpoint.restore(strategy)  # if there is a checkpoint
        strategy.train(benchmark.train_stream)

    Several processes write one file, which any number of processes continues from. Process 0 writes
    and reads it. All processes call the methods.

    :param path: path of the file; its folder is made if it does not exist.
    :param every: number of ticks between two checkpoints, ≥ 1. If omitted, the end of training and
        signals (:meth:`stopping`) write checkpoints.
    :param at_end: whether to write a checkpoint at the end of training.
    :raises ValueError: if ``every`` is no whole number of at least 1, ``path`` is no path, or its
        folder cannot be made.
    """

    def __init__(self, path: str | Path, every: int | None = None, at_end: bool = True) -> None:
        super().__init__()
        if every is not None:
            check_whole("every", every, 1)
        self.path = checked_path(path, "path")
        self.every = every
        self.at_end = at_end
        self._stops: int | None = None
        self._since = 0.0
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
        state = load_shared(self.path, getattr(strategy, "processes", None))
        if state is None:
            return False
        strategy.load_state_dict(state)
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
        save_shared(self.path, strategy, getattr(strategy, "processes", None))

    def before_backward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Tell the other processes, at the exchange of this tick, that this one has been asked."""
        processes = getattr(strategy, "processes", None)
        if processes is not None:
            processes.interruption.own = self._stops is not None

    def after_tick(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint if one is due, and stop if a process has been asked to.

        All processes stop at the same tick: the first one at which each knows.

        :raises TrainingStopped: if the process has been asked to stop.
        """
        processes = getattr(strategy, "processes", None)
        due = self.every is not None and strategy.clock.train_iterations % self.every == 0
        stops = self._stops is not None
        if processes is not None and processes.size > 1:
            stops = processes.interruption.common
        if stops:
            self.stop(strategy)
        elif due:
            self.write(strategy)

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether the process has been asked to stop, see :meth:`stopping`."""
        return self._stops is not None

    def stop(self, strategy: Any) -> None:
        """Write a checkpoint, and stop training.

        :param strategy: strategy between two ticks.
        :raises TrainingStopped: always.
        """
        self.write(strategy)
        number = signal.SIGTERM if self._stops is None else self._stops
        raise TrainingStopped(self.path, int(number))

    def after_training(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint, unless ``at_end`` is false."""
        if self.at_end:
            self.write(strategy)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Context in which SIGINT, SIGTERM and SIGHUP write a checkpoint at the end of the tick.

        While a live stream waits for data, they write it at once. Training then raises
        :class:`TrainingStopped`. The second signal ends the process at once. With several
        processes, signals within ten seconds count as one, because a launcher and its user may both
        send them. Ignored signals stay ignored. Outside of the main thread, the context has no
        effect.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        before = {kind: signal.getsignal(kind) for kind in map(signal.Signals.__getitem__, names)}
        before = {kind: old for kind, old in before.items() if old != signal.SIG_IGN}
        for kind in before:
            signal.signal(kind, self._ask)
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)
            self._stops = None

    def _ask(self, number: int, frame: Any) -> None:
        if self._stops is None:
            self._stops, self._since = number, time.monotonic()
        elif size_of_launcher() == 1 or time.monotonic() - self._since > _ONE_REQUEST:
            raise KeyboardInterrupt

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the file's place is no part of the state."""
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Restore nothing."""
