"""Progress of a run over its ticks."""

from __future__ import annotations

from typing import Any

from avalanche.core import SupervisedPlugin
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..evaluation import PCLMetrics

__all__ = ["TickProgress"]


class TickProgress(SupervisedPlugin):
    """Progress bar over ticks, with A, the mean accuracy of the tasks started so far.

    It is a context manager around training, and a plugin of the strategy.

    :param total: number of all ticks.
    :param metrics: metrics whose last tests give A.
    :param title: text in front of the bar.
    """

    def __init__(self, total: int, metrics: PCLMetrics, title: str) -> None:
        super().__init__()
        self._metrics = metrics
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("ticks"),
            TextColumn("A {task.fields[accuracy]}"),
            TimeRemainingColumn(),
        )
        self._bar = self._progress.add_task(title, total=total, accuracy="—")

    def __enter__(self) -> TickProgress:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        # The last test comes after the last callback of this plugin.
        self._progress.update(self._bar, accuracy=self._accuracy())
        self._progress.stop()

    def after_training_iteration(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Advance by one tick."""
        done = strategy.clock.train_iterations + 1  # the clock counts after this callback
        self._progress.update(self._bar, completed=done, accuracy=self._accuracy())

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a resumed run may show no bar."""
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Restore nothing."""

    def _accuracy(self) -> str:
        latest = [curve[-1][1] for curve in self._metrics.history.values() if curve]
        return f"{100 * sum(latest) / len(latest):.1f} %" if latest else "—"
