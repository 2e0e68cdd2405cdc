"""Locks of output directories: one command at a time writes into a directory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from .._text_files import check_text, excerpt
from .directories import make_directory

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["LOCK", "DirectoryInUseError", "check_unlocked", "is_of_lock", "locked"]

LOCK = ".lock"
"""Name of the lock in a directory that a command writes."""

_DRAFT = ".lock-"
_PATIENCE = 2.0  # seconds in which another process completes or replaces its lock
_MOST_BYTES = 10_000

_held: dict[str, int] = {}  # locks of this process, with the threads that hold them
_of_held = threading.Lock()


class DirectoryInUseError(ValueError):
    """Another command writes into the directory; the message names it."""


@dataclass(frozen=True)
class _Owner:
    """Process that holds a lock.

    :param pid: number of the process.
    :param host: name of its machine.
    :param since: local time of the lock's start.
    """

    pid: int
    host: str
    since: str


def is_of_lock(name: str) -> bool:
    """Whether a file in a directory belongs to its lock."""
    return name == LOCK or name.startswith(_DRAFT)


def check_unlocked(directory: Path) -> None:
    """Check that no other command writes into a directory.

    :raises DirectoryInUseError: if another process, or another thread, holds its lock.
    """
    if _is_own(directory):
        return
    with contextlib.suppress(OSError):
        handle = _opened(directory)
        try:
            _check_stale(directory, handle)
        finally:
            os.close(handle)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Context in which this process alone writes into a directory.

    The lock is the file ``.lock`` with its owner. A hard link gives a whole file that name, which
    is atomic on local and on network file systems. Where links do not exist, ``O_EXCL`` creates the
    file. The owner holds a ``flock`` on the file, which ends with the process. The next command on
    this host recognises and replaces the lock of a dead process. Contexts of one thread may nest.

    :param directory: path of the directory, which is made if it does not exist. If it is empty at
        the end, those of its folders are removed that the context has made.
    :raises DirectoryInUseError: if another command writes into the directory, or may do so on
        another host.
    :raises ValueError: if the directory cannot be made, or the lock cannot be written.
    """
    if _is_own(directory):
        yield
        return
    check_text(str(directory), "`output`")
    made = [each for each in (directory, *directory.parents) if not each.exists()]
    handle = None
    try:
        make_directory(directory)
        handle = _acquire(directory)
        key = _key(directory)
        with _of_held:
            _held[key] = threading.get_ident()
        try:
            yield
        finally:
            with _of_held:
                del _held[key]
    finally:
        if handle is not None:
            _release(directory, handle)
        with contextlib.suppress(OSError):  # not empty, or gone
            for folder in made:
                folder.rmdir()


def _is_own(directory: Path) -> bool:
    with _of_held:
        return _held.get(_key(directory)) == threading.get_ident()


def _key(directory: Path) -> str:
    return os.path.realpath(directory)


def _acquire(directory: Path) -> int:
    """Take the lock, and return its open file."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return _create(directory)
        except FileExistsError:
            pass
        except OSError as error:
            raise ValueError(
                f"`output` {excerpt(str(directory), 300)} cannot be written into: "
                f"{error.strerror or error}."
            ) from None
        try:
            handle = _opened(directory)
        except FileNotFoundError:  # released in the meantime
            continue
        except OSError:
            raise _unknown(directory) from None
        try:
            owner = _check_stale(directory, handle, patient=time.monotonic() < end)
            if owner is not None and _is_at(directory / LOCK, handle):
                # The `flock` on the old file keeps others from removing the next lock.
                (directory / LOCK).unlink()
                continue
        finally:
            os.close(handle)
        time.sleep(0.02)


def _create(directory: Path) -> int:
    """Create the lock.

    :raises FileExistsError: if it exists.
    """
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    content = json.dumps(asdict(_Owner(os.getpid(), socket.gethostname(), now))).encode()
    handle, draft = tempfile.mkstemp(prefix=_DRAFT, dir=directory)
    try:
        os.chmod(draft, 0o644)  # other users read the owner
        _flock(handle)
        os.write(handle, content)
        os.fsync(handle)
        try:
            os.link(draft, directory / LOCK)
            return handle
        except FileExistsError:
            # The answer of a file server may get lost: the second request then finds the link.
            if os.fstat(handle).st_nlink == 2:
                return handle
            raise
        except (OSError, AttributeError):  # no links here
            pass
        exclusive = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        os.close(handle)
        handle = exclusive
        _flock(handle)
        os.write(handle, content)
        return handle
    except BaseException:
        os.close(handle)
        raise
    finally:
        with contextlib.suppress(OSError):
            os.unlink(draft)


def _release(directory: Path, handle: int) -> None:
    try:
        with contextlib.suppress(OSError):
            if _is_at(directory / LOCK, handle):
                (directory / LOCK).unlink()
    finally:
        os.close(handle)


def _opened(directory: Path) -> int:
    """Open the lock.

    :raises DirectoryInUseError: if it is no file: a folder, a symbolic link, a pipe or a socket.
    :raises OSError: if there is none, or it cannot be opened.
    """
    path, options = directory / LOCK, getattr(os, "O_NONBLOCK", 0)
    # Without following links: one to nothing is neither there nor free.
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise _unknown(directory)
    try:
        return os.open(path, os.O_RDWR | options)
    except PermissionError:  # of another user
        return os.open(path, os.O_RDONLY | options)


def _unknown(directory: Path) -> DirectoryInUseError:
    return DirectoryInUseError(
        f"`output` {excerpt(str(directory), 300)} has a lock of an unknown process: name another "
        f"directory, or remove {str(directory / LOCK)!r} if no command writes there."
    )


def _is_at(path: Path, handle: int) -> bool:
    """Whether an open file still has its name."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _flock(handle: int) -> bool | None:
    """Lock an open file until its process ends; ``None`` where there are no such locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _check_stale(directory: Path, handle: int, *, patient: bool = False) -> _Owner | None:
    """Check that the owner of a lock is a dead process of this host.

    :param handle: open file of the lock.
    :param patient: whether to return ``None`` for a lock that another process is about to complete
        or to replace.
    :return: the dead owner.
    :raises DirectoryInUseError: otherwise.
    """
    owner = _owner(handle)
    if owner is None:
        if patient:
            return None
        raise _unknown(directory)
    words = (
        f"`output` {excerpt(str(directory), 300)} is in use by process {owner.pid} on "
        f"{owner.host} since {owner.since}"
    )
    if owner.host != socket.gethostname():
        raise DirectoryInUseError(
            f"{words}: wait for its end, or name another directory. If that process is gone, "
            f"remove {str(directory / LOCK)!r}."
        )
    found = _flock(handle)
    is_alive = psutil.pid_exists(owner.pid)
    if found is True or (found is None and not is_alive):
        return owner
    if patient and not is_alive:  # another process replaces the lock
        return None
    raise DirectoryInUseError(f"{words}: wait for its end, or name another directory.")


def _owner(handle: int) -> _Owner | None:
    """Read the owner of a lock; ``None`` if the file has none."""
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        found = json.loads(os.read(handle, _MOST_BYTES))
        owner = _Owner(int(found["pid"]), str(found["host"]), str(found["since"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    texts = owner.host + owner.since
    return owner if 0 < owner.pid < 2**31 and texts.isprintable() and len(texts) < 300 else None
