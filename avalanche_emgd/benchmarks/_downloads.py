"""Downloads that fail: one line that says what to do, and no empty folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._text_files import first_line

__all__ = ["download_into"]


@contextmanager
def download_into(data_root: str | Path, what: str, *, download: bool) -> Iterator[None]:
    """Context in which data are read from a folder, and downloaded if they are not there.

    :param data_root: folder of the data, which need not exist.
    :param what: words for the data, for error messages.
    :param download: whether the context may download.
    :raises OSError: if the download fails; empty folders that the context has made are removed.
    """
    root = Path(data_root)
    made = [each for each in (root, *root.parents) if not each.exists()]
    before = {path for path, _, _ in os.walk(root)}
    try:
        yield
    except (OSError, RuntimeError) as error:
        if not download:
            raise
        inside = [Path(path) for path, _, _ in os.walk(root, topdown=False) if path not in before]
        for folder in dict.fromkeys([*inside, *made]):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise OSError(
            f"`download` of {what} into `data_root` {str(data_root)!r} has failed: "
            f"{first_line(error)}. Try again with a network, or put the files there by hand."
        ) from error
