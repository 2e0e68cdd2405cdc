"""Curves of bounded length."""

from __future__ import annotations

from .._numbers import check_whole

__all__ = ["ThinnedCurve"]


class ThinnedCurve:
    """Points ``(x, y)`` of a curve, of which every second one is dropped when there are too many.

    The first and the last point always stay. The others are evenly spread over the points so far.

    :param most: largest number of points, ≥ 4.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, most: int = 512) -> None:
        check_whole("most", most, 4)
        self.most = most
        self._kept: list[tuple[int, float]] = []
        self._stride, self._count = 1, 0
        self._last: tuple[int, float] | None = None

    def append(self, x: int, y: float) -> None:
        """Append a point."""
        self._last = (x, y)
        if self._count % self._stride == 0:
            self._kept.append(self._last)
            if len(self._kept) == self.most:
                self._kept, self._stride = self._kept[::2], 2 * self._stride
        self._count += 1

    @property
    def points(self) -> list[tuple[int, float]]:
        """Points that are kept, in order."""
        if self._last is None or self._kept[-1] == self._last:
            return list(self._kept)
        return [*self._kept, self._last]

    def state_dict(self) -> dict[str, object]:
        """Return the state as numbers."""
        return {
            "kept": list(self._kept),
            "stride": self._stride,
            "count": self._count,
            "last": self._last,
        }

    @classmethod
    def from_state(cls, state: dict[str, object], most: int = 512) -> ThinnedCurve:
        """Make a curve from the state of :meth:`state_dict`."""
        curve = cls(most)
        curve._kept = [(int(x), float(y)) for x, y in state["kept"]]  # type: ignore[attr-defined]
        curve._stride, curve._count = int(state["stride"]), int(state["count"])  # type: ignore[call-overload]
        last = state["last"]
        curve._last = None if last is None else (int(last[0]), float(last[1]))  # type: ignore[index]
        return curve
