"""Checks of paths given by users."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["checked_path"]


def checked_path(path: Any, name: str) -> Path:
    """Convert an argument into a path, which need not exist.

    :param name: name of the argument, for error messages.
    :raises ValueError: if the argument cannot be a path.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"`{name}` must be a path, found {path!r}.")
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError) as error:
        raise ValueError(f"`{name}` {str(path)[:100]!r} is no path: {error!s:.60}.") from None
    return Path(path)
