"""Directories of results."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .._text_files import check_text, excerpt
from .lock import check_unlocked, is_of_lock, locked

__all__ = [
    "check_directory",
    "check_free",
    "check_free_file",
    "holds_files",
    "results_in",
]


def check_free(output: Path, *, overwrite: bool) -> None:
    """Check before any work starts that results may be written into a directory.

    :param output: path of the directory, which need not exist.
    :param overwrite: whether files of an earlier run may be replaced.
    :raises DirectoryInUseError: if another command writes into the directory.
    :raises FileExistsError: if the directory is not empty and ``overwrite`` is false.
    :raises ValueError: if the path is that of a file.
    """
    holds = holds_files(output)
    check_unlocked(output)
    if output.exists() and not output.is_dir():
        raise ValueError(f"`output` {str(output)!r} cannot be made a directory: it is a file.")
    if holds and not overwrite:
        raise FileExistsError(
            f"`output` {str(output)!r} is not empty: name another directory, or allow "
            "overwriting (on the command line: --overwrite)."
        )


def check_free_file(output: Path, *, overwrite: bool) -> None:
    """Check before any work starts that a file may be written.

    :param output: path of the file.
    :param overwrite: whether an existing file may be replaced.
    :raises FileExistsError: if the file exists and ``overwrite`` is false.
    """
    if output.exists() and not overwrite:
        raise FileExistsError(
            f"`output` {str(output)!r} exists: name another file, or allow overwriting (on the "
            "command line: --overwrite)."
        )


def check_directory(output: Path) -> bool:
    """Check that a directory can be continued; return whether it has more than a lock.

    :param output: path of the directory, which need not exist.
    :raises DirectoryInUseError: if another command writes into the directory.
    :raises ValueError: if the path is that of a file, or cannot be one.
    """
    holds = holds_files(output)  # first: it refuses paths that cannot be
    if output.exists() and not output.is_dir():
        raise ValueError(f"`output` {str(output)!r} is a file: name a directory.")
    check_unlocked(output)
    return holds


def holds_files(directory: Path) -> bool:
    """Return whether a directory exists and has more than a lock.

    :raises ValueError: if the directory cannot be read, for example if its path is too long.
    """
    check_text(str(directory), "`output`")
    try:
        return directory.is_dir() and any(not is_of_lock(path.name) for path in directory.iterdir())
    except OSError as error:
        raise ValueError(
            f"`output` {excerpt(str(directory), 300)} cannot be looked at: {error.strerror}."
        ) from None


@contextmanager
def results_in(
    output: Path,
    written: Sequence[str],
    *,
    overwrite: bool,
    kept: Sequence[str] = (),
    keeps_if: str | None = None,
) -> Iterator[None]:
    """Context in which this process alone writes results; after an error, it removes them.

    :param output: path of the directory, which is made if it does not exist.
    :param written: names of the files and folders that the context may write or remove.
    :param overwrite: whether to remove those of an earlier run first.
    :param kept: names of files and folders of the earlier run that stay.
    :param keeps_if: name of a file; if it exists after an error, nothing is removed.
    :raises DirectoryInUseError: if another command writes into the directory.
    :raises FileExistsError: as in :func:`check_free`.
    :raises ValueError: if the directory cannot be made.
    """
    check_free(output, overwrite=overwrite)
    with locked(output):
        check_free(output, overwrite=overwrite)  # another command may just have ended
        _remove(output, [name for name in written if name not in kept])
        try:
            yield
        except BaseException:  # also after Ctrl-C
            if keeps_if is None or not (output / keeps_if).is_file():
                _remove(output, written)
            raise


def _remove(output: Path, names: Sequence[str]) -> None:
    for name in names:
        path = output / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_symlink() or path.exists():
            path.unlink()
