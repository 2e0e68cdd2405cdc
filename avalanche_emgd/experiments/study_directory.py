"""What lies where in the directory of a study."""

from __future__ import annotations

from pathlib import Path

__all__ = ["RECORDS", "check_study"]

RECORDS = "records"
"""Folder of the records in the directory of a study."""


def check_study(directory: Path) -> None:
    """Check that a directory is that of a study.

    :raises FileNotFoundError: if it is not.
    """
    if not (directory / RECORDS).is_dir():
        raise FileNotFoundError(
            f"`directory` {str(directory)!r} holds no study: name the output directory of one (on "
            "the command line: avalanche-emgd compare --output DIR)."
        )
