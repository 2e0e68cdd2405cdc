"""Pictures as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._atomic import replacing

__all__ = ["save_picture"]


def save_picture(figure: Any, path: Path) -> None:
    """Write a figure of matplotlib atomically, in the format of the path's suffix.

    :raises ValueError: if the file cannot be written.
    """
    with replacing(path) as draft:
        figure.savefig(draft, format=path.suffix[1:], dpi=150)
