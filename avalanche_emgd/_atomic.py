"""Atomic replacement of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["NotWrittenError", "behind_links", "replacing"]


class NotWrittenError(ValueError):
    """A file that cannot be written, for example on a full disk; the message says why."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Context in which a draft is written. At its end without an error, the draft replaces a file.

    At any time, even after a crash, the file has either its old content or the new one.

    :param path: path of the file, in an existing directory; a symbolic link stays, and the file
        that it names is replaced.
    :return: path of the draft, a hidden file in the directory of the file.
    :raises NotWrittenError: if the file cannot be written.
    """
    path = behind_links(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise NotWrittenError(
            f"{str(path)!r} cannot be written: {error.strerror or error}."
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def behind_links(path: Path) -> Path:
    """Return the path of a file that a symbolic link names; other paths stay as they are."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _sync(folder: Path) -> None:
    """Write the entry of a folder, which has the new name, to the disk."""
    with suppress(OSError):  # some systems cannot open folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
