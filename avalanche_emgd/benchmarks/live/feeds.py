"""Feeds: minibatches of a source, read ahead, with a bound on how long a tick waits for them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from .sources import LiveSource, Minibatch

__all__ = ["DirectFeed", "Feed", "ThreadFeed", "feed_of"]

_AHEAD = 2  # minibatches that wait in a queue
_STOP = 0.1  # seconds after which a thread with a full queue checks whether it must stop


class Feed:
    """Minibatches of a source.

    :param source: the source.
    :param size: samples of a minibatch.
    """

    ended = False
    """Whether the data have ended; known after a :meth:`take` without minibatch."""

    def __init__(self, source: LiveSource, size: int) -> None:
        self.source = source
        self._batches: Iterator[Minibatch] = source.batches(size)

    def take(self, wait: float) -> Minibatch | None:
        """Take the next minibatch; ``None`` if there is none now, or the data have ended.

        :param wait: longest time to wait, in seconds.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Read no further."""


class DirectFeed(Feed):
    """Feed of a source in memory, which never waits."""

    def take(self, wait: float) -> Minibatch | None:
        """See :meth:`Feed.take`."""
        found = next(self._batches, None)
        self.ended = found is None
        return found


class ThreadFeed(Feed):
    """Feed of a source that may wait: a thread reads it into a queue of two minibatches.

    :meth:`take` raises errors of the source, after the minibatches before them.
    """

    def __init__(self, source: LiveSource, size: int) -> None:
        super().__init__(source, size)
        self._queue: queue.Queue[Minibatch | BaseException | None] = queue.Queue(_AHEAD)
        self._stopped = threading.Event()
        # The stream must not keep a program alive whose source waits for ever.
        threading.Thread(target=self._read, name="live source", daemon=True).start()

    def take(self, wait: float) -> Minibatch | None:
        """See :meth:`Feed.take`."""
        if self.ended:
            return None
        try:
            found = self._queue.get(timeout=wait) if wait > 0.0 else self._queue.get_nowait()
        except queue.Empty:
            return None
        if isinstance(found, BaseException):
            self.ended = True
            if not isinstance(found, Exception):  # such as SystemExit, which ended the thread only
                raise RuntimeError(f"its source has raised {type(found).__name__}") from found
            raise found
        self.ended = found is None
        return found

    def stop(self) -> None:
        """See :meth:`Feed.stop`."""
        self._stopped.set()
        self.source.stop()

    def _read(self) -> None:
        try:
            for minibatch in self._batches:
                if not self._put(minibatch):
                    return
            self._put(None)
        except BaseException as error:  # the thread that trains raises it
            self._put(error)

    def _put(self, item: Minibatch | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_STOP)
            except queue.Full:
                continue
            return True
        return False


def feed_of(source: LiveSource, size: int) -> Feed:
    """Make the feed of a source, with a thread if it may wait."""
    return ThreadFeed(source, size) if source.may_wait else DirectFeed(source, size)
