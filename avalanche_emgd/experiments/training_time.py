"""Time of training, over the parts of a run that was interrupted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from avalanche.core import SupervisedPlugin

__all__ = ["TrainingTime"]


class TrainingTime(SupervisedPlugin):
    """Plugin that counts the seconds from its creation, and those before a checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self._before = 0.0
        self.start()

    def start(self) -> None:
        """Begin to count in this process."""
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds of all parts so far, tests included."""
        return self._before + time.perf_counter() - self._started

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the seconds of :meth:`state_dict`."""
        self._before = float(state["seconds"])
        self.start()
