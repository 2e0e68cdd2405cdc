"""The layout of the directory of a study."""

from __future__ import annotations

from pathlib import Path

from .._text_files import excerpt

__all__ = ["CHECKPOINTS", "RECORDS", "check_study"]

RECORDS = "records"
"""Folder of the records in the directory of a study."""
CHECKPOINTS = "checkpoints"
"""Folder of the checkpoints of runs in work, in the directory of a study."""


def check_study(directory: Path) -> None:
    """Check that a directory holds a study.

    :raises FileNotFoundError: if it does not.
    """
    try:
        holds_study = (directory / RECORDS).is_dir()
    except (OSError, ValueError):  # of paths that cannot be
        holds_study = False
    if not holds_study:
        raise FileNotFoundError(
            f"`directory` {excerpt(str(directory), 300)} holds no study: name the "
            "output directory of one (on the command line: avalanche-emgd compare --output DIR)."
        )
