"""Time lines to look at, without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..benchmarks import Protocol, Timeline
from .config import BenchmarkName, RunConfig, make_benchmark

__all__ = ["choose_timeline", "save_timeline"]


def choose_timeline(
    *, benchmark: BenchmarkName, data_root: str | None, protocol: str | None, **options: Any
) -> tuple[Timeline, tuple[str, ...]]:
    """Find the time line that a run with these options would have, and the names of the tasks.

    With a protocol but no data, the published time line as it is.

    :raises ValueError: as for a run.
    """
    if protocol is not None and data_root is None and benchmark != "ps-digits":
        _, chosen = Protocol.load(protocol).select(options["label_set"], options["timeline"])
        return chosen, tuple(f"task{task}" for task in range(chosen.num_tasks))
    made = make_benchmark(
        RunConfig(benchmark=benchmark, data_root=data_root, protocol=protocol, **options)
    )
    return made.timeline, made.task_names


def save_timeline(
    timeline: Timeline, names: Sequence[str], picture: Path, *, overwrite: bool = False
) -> None:
    """Draw into a file.

    :raises FileExistsError: if there is one that must not be overwritten.
    """
    if picture.exists() and not overwrite:
        raise FileExistsError(
            f"`output` {str(picture)!r} exists: name another file, or allow overwriting "
            "(on the command line: --overwrite)."
        )
    picture.parent.mkdir(parents=True, exist_ok=True)
    timeline.plot(names).savefig(picture, dpi=150)
