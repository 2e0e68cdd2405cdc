"""Progress of a strategy in its stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...benchmarks.origin import Origin

__all__ = ["Progress"]


class Progress:
    """Experiences that are done, and the state from which the one in work continues.

    A pass begins with a new benchmark, and with an experience that is done already.
    """

    def __init__(self) -> None:
        self.origin = Origin()
        """Benchmark of the pass."""
        self.done: list[int] = []
        """Numbers of the experiences that are done in this pass."""
        self.current: int | None = None
        """Number of the experience in work; ``None`` outside of training."""
        self.epoch: Any = None
        """State from which the order of the epoch in work follows, for loaders without one."""
        self.start = 0
        """Number of ticks of the next epoch that are done."""
        self.loader: Mapping[str, Any] | None = None
        """State of the loader of that epoch."""
        self.is_settled = True
        """Whether the strategy is between two ticks, so that its state is whole."""
        self.skips_done = False
        """Whether experiences that are done are left out: after a state was loaded."""
        self.pending: Mapping[str, Any] | None = None
        """Loaded state, from the middle of an experience that has not been continued yet."""

    def begin(self, experience: Any) -> None:
        """Note that an experience begins."""
        number = number_of(experience)
        self.enter(Origin.of(experience))
        if number in self.done:
            self.done = []
        self.current = number
        self.skips_done = False

    def enter(self, origin: Origin) -> None:
        """Note the benchmark; a new one begins a pass."""
        if origin != self.origin:
            self.origin, self.done = origin, []

    def finish(self) -> None:
        """Note that the experience in work is done."""
        # Segments of a live stream do not come again, and their number has no limit.
        if self.current is not None and self.current not in self.done and not self.origin.is_live:
            self.done.append(self.current)
        self.current = None

    def is_done(self, experience: Any) -> bool:
        """Whether an experience was done before the loaded state was saved."""
        return (
            self.skips_done
            and number_of(experience) in self.done
            and Origin.of(experience) == self.origin
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the position as numbers and text."""
        return {
            "benchmark": self.origin.state_dict(),
            "done": list(self.done),
            "current": self.current,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the position of :meth:`state_dict`."""
        if not isinstance(state["current"], int | None):
            raise TypeError("the number of the experience is no number")
        self.origin = Origin.from_state(state["benchmark"])
        self.done, self.current = list(map(int, state["done"])), None
        self.epoch, self.is_settled, self.skips_done = None, True, True


def number_of(experience: Any) -> int:
    """Return the number of an experience in its stream; −1 if it has none."""
    return int(getattr(experience, "current_experience", -1))
