"""Interrupted runs in their directories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .config import RunConfig
from .lock import check_unlocked
from .run_file import load_config
from .setting import declared

__all__ = ["CHECKPOINT", "CONFIG", "check_unfinished", "config_to_resume"]

CONFIG = "config.json"
"""File with the configuration, in the directory of a run."""
CHECKPOINT = "checkpoint.pt"
"""File with the last checkpoint, in the directory of a run."""


def config_to_resume(output: Path, settings: Mapping[str, Any]) -> RunConfig | None:
    """Read the configuration of an interrupted run.

    :param output: directory of the run.
    :param settings: settings that are given again, as parameters of :class:`RunConfig`.
    :return: the configuration; ``None`` if the directory does not exist or has no run.
    :raises DirectoryInUseError: if another command writes into the directory.
    :raises ValueError: if the run is finished, or its settings differ from those given.
    """
    if not (output / CONFIG).is_file():
        return None
    check_unlocked(output)
    check_unfinished(output)
    config = load_config(output / CONFIG)
    if settings:
        given = RunConfig(**{**_plain(config), **settings}).resolved()
        for name in declared(RunConfig):
            here, there = getattr(given, name), getattr(config.resolved(), name)
            if here != there:
                raise ValueError(
                    f"`{name}` is {here!r}, but {there!r} in the run to resume in {str(output)!r}: "
                    "leave it out, or name another directory."
                )
    return config


def check_unfinished(output: Path) -> None:
    """Check that a directory has no finished run.

    :raises ValueError: if it has one.
    """
    if (output / "metrics.json").is_file():
        raise ValueError(
            f"`output` {str(output)!r} holds a finished run: there is nothing to resume."
        )


def _plain(config: RunConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in declared(RunConfig)}
