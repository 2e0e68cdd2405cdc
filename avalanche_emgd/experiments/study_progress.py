"""Progress of a study over its runs."""

from __future__ import annotations

import time
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["StudyProgress"]


class StudyProgress:
    """Context with a progress bar over runs: numbers of done, failed and open ones, and time left.

    If the output is not a terminal, :meth:`note` prints lines instead.

    :param total: number of all runs.
    :param done: number of those done earlier.
    :param failed: number of those that failed earlier and are not repeated.
    :param show: whether to print at all.
    """

    def __init__(self, total: int, done: int, failed: int, *, show: bool) -> None:
        self._total, self._done, self._failed = total, done, failed
        self._earlier = done + failed
        self._console = Console(quiet=not show)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[remaining]}"),
            console=self._console,
            disable=not (show and self._console.is_terminal),
        )
        self._bar = self._progress.add_task("", total=None, counts="", remaining="")
        self._started = time.monotonic()

    def __enter__(self) -> StudyProgress:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def stage(self, words: str) -> None:
        """Show a stage of the work before the first run."""
        self._progress.update(self._bar, description=words)

    def start(self, words: str) -> None:
        """Start the clock with the first run.

        :param words: words for the place of the runs.
        """
        self._started = time.monotonic()
        self._progress.reset(
            self._bar,
            total=self._total,
            completed=self._earlier,
            description=words,
            counts=self._counts(),
            remaining="",
        )
        self.note()

    def finished(self, *, failed: bool) -> None:
        """Count one more run."""
        self._failed += failed
        self._done += not failed
        self._progress.update(
            self._bar,
            completed=self._done + self._failed,
            counts=self._counts(),
            remaining=self._remaining(),
        )

    def note(self) -> None:
        """Print a line with the same content, if there is no bar."""
        if not self._console.is_terminal:
            elapsed = _clock(time.monotonic() - self._started)
            parts = [self._counts(), f"{elapsed} so far", self._remaining()]
            self._console.print(", ".join(filter(None, parts)), highlight=False, soft_wrap=True)

    def _counts(self) -> str:
        left = self._total - self._done - self._failed
        return f"{self._done} done, {self._failed} failed, {left} left"

    def _remaining(self) -> str:
        finished = self._done + self._failed
        here = finished - self._earlier
        if not here or finished == self._total:
            return ""
        seconds = (time.monotonic() - self._started) / here * (self._total - finished)
        return f"about {_clock(seconds)} to go"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
