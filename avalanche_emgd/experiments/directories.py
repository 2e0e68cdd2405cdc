"""Making directories."""

from __future__ import annotations

from pathlib import Path

from .._text_files import check_text, excerpt

__all__ = ["make_directory"]


def make_directory(directory: Path) -> None:
    """Make a directory and its parents.

    :raises ValueError: if the directory cannot be made; the message says why.
    """
    check_text(str(directory), "`output`")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"`output` {excerpt(str(directory), 300)} cannot be made a directory: {error.strerror}."
        ) from None
