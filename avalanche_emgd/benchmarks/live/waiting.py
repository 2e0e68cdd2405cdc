"""Waiting for the sources of a live stream."""

from __future__ import annotations

import time
import warnings

__all__ = ["Waiting"]

_NAP = 0.01  # seconds between two checks of sources while none has data
_PATIENCE = 10.0  # seconds without data after which a warning says what the stream waits for


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
