"""Waiting for the sources of a live stream, and requests that end it."""

from __future__ import annotations

import time
import warnings

from .feeds import Feed
from .sources import Minibatch

__all__ = ["Interruption", "Waiting", "taken"]

_NAP = 0.01  # seconds between two checks of sources while none has data
_SLICE = 0.1  # seconds between two checks of requests while the stream waits for one source
_PATIENCE = 10.0  # seconds without data after which a warning says what the stream waits for


class Interruption:
    """Request to stop while a stream waits for data; none here."""

    def is_asked(self) -> bool:
        """Whether training is to stop before the next tick."""
        return False

    def stop(self) -> None:
        """Stop training, between two ticks, by an error."""

    def check(self) -> None:
        """Stop training if it is asked for."""
        if self.is_asked():
            self.stop()


def taken(feed: Feed, wait: float, interruption: Interruption) -> Minibatch | None:
    """Take the next minibatch of a feed, or wait for it until a request comes.

    :param feed: feed of a task.
    :param wait: longest time to wait, in seconds.
    :param interruption: request that ends the waiting.
    :return: minibatch; ``None`` if there is none now, or the data have ended.
    """
    end = time.monotonic() + wait
    while True:
        found = feed.take(min(wait, _SLICE))
        wait = end - time.monotonic()
        if found is not None or feed.ended or wait <= 0.0 or interruption.is_asked():
            return found


class Waiting:
    """Short naps while no source has data, and an end to them."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._has_warned = False

    def is_over(self, max_idle: float | None) -> bool:
        """Wait a moment; return whether the stream has been idle for too long.

        :param max_idle: longest time of all naps, in seconds; without limit if ``None``.
        """
        idle = time.monotonic() - self._start
        if max_idle is not None and idle > max_idle:
            warnings.warn(
                f"no task has delivered for {max_idle:g} seconds (`max_idle`), so training "
                "returns; the stream can be trained on further.",
                stacklevel=5,
            )
            return True
        if idle > _PATIENCE and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"no task has delivered for {_PATIENCE:g} seconds: the stream waits for data, for "
                "add_task(), or for close().",
                stacklevel=5,
            )
        time.sleep(_NAP)
        return False
