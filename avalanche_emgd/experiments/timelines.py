"""Pictures of time lines, without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .config import RunConfig, make_benchmark, published_streams
from .data import DATA
from .directories import make_directory
from .output import check_free_file
from .picture_files import save_picture

if TYPE_CHECKING:
    from ..benchmarks import Timeline

__all__ = ["check_picture", "choose_timeline", "save_timeline"]


def choose_timeline(config: RunConfig) -> tuple[Timeline, tuple[str, ...]]:
    """Return the time line of a run, and the names of its tasks.

    With a protocol but no data, it is the published time line.

    :raises ValueError: as in :func:`~avalanche_emgd.experiments.make_benchmark`.
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
    """Draw a time line into a file.

    :param picture: path of the picture; its suffix is .png, .svg or .pdf.
    :raises ValueError: as in :func:`check_picture`.
    :raises FileExistsError: as in :func:`check_picture`.
    """
    check_picture(picture, overwrite=overwrite)
    make_directory(picture.parent)
    save_picture(timeline.plot(names), picture)


def check_picture(picture: Path, *, overwrite: bool) -> None:
    """Check before any work starts that a picture may be written.

    :param picture: path of the picture; its suffix is .png, .svg or .pdf.
    :param overwrite: whether an existing picture may be replaced.
    :raises ValueError: if the suffix is not .png, .svg or .pdf, or the path is a directory.
    :raises FileExistsError: if the picture exists and ``overwrite`` is false.
    """
    if picture.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"`output` {str(picture)!r} must end with .png, .svg or .pdf.")
    if picture.is_dir():
        raise ValueError(f"`output` {str(picture)!r} is a directory: name a file.")
    check_free_file(picture, overwrite=overwrite)
