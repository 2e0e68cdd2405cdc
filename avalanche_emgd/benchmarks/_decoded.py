"""Cache of decoded files, shared by all data sets of a process made from the same files."""

from __future__ import annotations

import hashlib
import os
import time
import weakref
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

__all__ = ["Decoded", "decoded_once"]

_SETTLED = 2.0  # seconds: resolution of file times on some file systems
_MOST = 16  # entries; they hold weak references, so no tensor stays alive because of them


@dataclass(frozen=True)
class Decoded:
    """Content decoded from files.

    :param tensors: read-only tensors.
    :param facts: other read-only values, such as names of classes.
    """

    tensors: tuple[Tensor, ...] = ()
    facts: Any = None


class _Entry:
    """Cache entry: weak references to the tensors, and the other values."""

    def __init__(self, found: Decoded) -> None:
        self._tensors = [weakref.ref(tensor) for tensor in found.tensors]
        self._versions = [tensor._version for tensor in found.tensors]
        self._facts = found.facts

    def get(self) -> Decoded | None:
        """Return the content; ``None`` if a tensor has been freed or changed in place."""
        tensors = [reference() for reference in self._tensors]
        alive = tuple(tensor for tensor in tensors if tensor is not None)
        if len(alive) < len(tensors) or [t._version for t in alive] != self._versions:
            return None
        return Decoded(alive, self._facts)


_entries: dict[Hashable, _Entry] = {}


def decoded_once(
    kind: Hashable, files: Iterable[str | os.PathLike[str]], decode: Callable[[], Decoded]
) -> Decoded:
    """Decode files, or return the content that an earlier call has decoded.

    The cache holds weak references: tensors are shared while a data set uses them, and the cache
    takes no memory of its own. Two calls share content if paths, sizes, modification times and
    inodes of the files agree. Content of files that changed within the last two seconds is not
    shared, because file times may have that resolution.

    :param kind: key of the cache: a name and all settings that the result depends on.
    :param files: all files that the result depends on; if one is missing, nothing is shared.
    :param decode: function that decodes the files, called on a cache miss.
    """
    key = _identity(kind, files)
    for other in [other for other, entry in _entries.items() if entry.get() is None]:
        del _entries[other]
    found = _entries[key].get() if key in _entries else None
    if found is not None:
        return found
    found = decode()
    # Inference tensors have no version counter, so that changes in place remain unnoticed.
    if key is not None and not any(tensor.is_inference() for tensor in found.tensors):
        _entries[key] = _Entry(found)
        for oldest in list(_entries)[:-_MOST]:
            del _entries[oldest]
    return found


def _identity(kind: Hashable, files: Iterable[str | os.PathLike[str]]) -> Hashable | None:
    """Return a key that identifies the files' content; ``None`` if a file may be changing."""
    digest, latest = hashlib.sha256(), 0
    try:
        for file in files:
            path = os.path.abspath(file)
            found = os.stat(path)
            times = (found.st_mtime_ns, found.st_ctime_ns)
            digest.update(repr((path, found.st_dev, found.st_ino, found.st_size, times)).encode())
            latest = max(latest, *times)
    except OSError:
        return None
    if latest > time.time_ns() - int(1e9 * _SETTLED):
        return None
    return kind, digest.digest()
