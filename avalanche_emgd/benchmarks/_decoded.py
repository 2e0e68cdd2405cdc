"""What is decoded from files, shared by all data sets of a process made from the same files."""

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

_SETTLED = 2.0  # seconds: the times of files are no finer on some file systems
_MOST = 16  # entries; the tensors are not theirs


@dataclass(frozen=True)
class Decoded:
    """What has been decoded from some files.

    :param tensors: tensors that nothing may write to.
    :param facts: plain values beside them that nothing may change.
    """

    tensors: tuple[Tensor, ...] = ()
    facts: Any = None


class _Entry:
    """Weak references to tensors, with the values beside them."""

    def __init__(self, found: Decoded) -> None:
        self._tensors = [weakref.ref(tensor) for tensor in found.tensors]
        self._versions = [tensor._version for tensor in found.tensors]
        self._facts = found.facts

    def get(self) -> Decoded | None:
        """Give what was decoded, unless a tensor is gone or has been written to since."""
        tensors = [reference() for reference in self._tensors]
        alive = tuple(tensor for tensor in tensors if tensor is not None)
        if len(alive) < len(tensors) or [t._version for t in alive] != self._versions:
            return None
        return Decoded(alive, self._facts)


_entries: dict[Hashable, _Entry] = {}


def decoded_once(
    kind: Hashable, files: Iterable[str | os.PathLike[str]], decode: Callable[[], Decoded]
) -> Decoded:
    """Decode files, or share what an earlier call has decoded from them.

    Tensors are shared as long as a data set has them, so that sharing takes no memory of its own.
    Files are the same while their paths, sizes, times of change and inodes are. Files that changed
    within the last two seconds are not shared, because times may be that coarse.

    :param kind: name of what is decoded, with all settings that the result depends on.
    :param files: all files that the result depends on; nothing is shared if one is not there.
    :param decode: function that decodes them, called if need be.
    """
    key = _identity(kind, files)
    for other in [other for other, entry in _entries.items() if entry.get() is None]:
        del _entries[other]
    found = _entries[key].get() if key in _entries else None
    if found is not None:
        return found
    found = decode()
    # Inference tensors do not tell whether they have been written to.
    if key is not None and not any(tensor.is_inference() for tensor in found.tensors):
        _entries[key] = _Entry(found)
        for oldest in list(_entries)[:-_MOST]:
            del _entries[oldest]
    return found


def _identity(kind: Hashable, files: Iterable[str | os.PathLike[str]]) -> Hashable | None:
    """Identity of files, as far as the file system tells; ``None`` if they may be changing."""
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
