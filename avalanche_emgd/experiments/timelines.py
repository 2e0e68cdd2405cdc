"""Time lines to look at, without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..benchmarks import Timeline
from .config import RunConfig, make_benchmark, published_streams
from .data import DATA
from .run import make_directory

__all__ = ["choose_timeline", "save_timeline"]


def choose_timeline(config: RunConfig) -> tuple[Timeline, tuple[str, ...]]:
    """Find the time line that a run would have, and the names of the tasks.

    With a protocol but no data, the published time line as it is.

    :raises ValueError: as for a run.
    """
    without_data = bool(DATA[config.benchmark].needs) and config.data_root is None
    if config.protocol is not None and without_data:
        _, chosen = published_streams(config)
        return chosen, tuple(f"task{task}" for task in range(chosen.num_tasks))
    made = make_benchmark(config)
    return made.timeline, made.task_names


def save_timeline(
    timeline: Timeline, names: Sequence[str], picture: Path, *, overwrite: bool = False
) -> None:
    """Draw into a file.

    :param picture: its suffix says of which kind.
    :raises ValueError: if it is not .png, .svg or .pdf.
    :raises FileExistsError: if there is one that must not be overwritten.
    """
    if picture.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"`output` {str(picture)!r} must end with .png, .svg or .pdf.")
    if picture.exists() and not overwrite:
        raise FileExistsError(
            f"`output` {str(picture)!r} exists: name another file, or allow overwriting "
            "(on the command line: --overwrite)."
        )
    make_directory(picture.parent)
    timeline.plot(names).savefig(picture, dpi=150)
