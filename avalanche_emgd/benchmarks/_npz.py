"""Reading of NumPy files, with the array sizes checked in the headers first."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil
from numpy.lib import format as npy

from .._text_files import first_line
from .limits import MEMORY_SHARE, MOST_EXPANSION

__all__ = ["read_arrays"]

_SMALL = 64 << 20  # bytes; the expansion of smaller arrays is not checked
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_arrays(file: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Read arrays of numbers or text, without pickle.

    :param file: path of an ``.npz`` file.
    :param keys: names of the arrays to read; others are ignored.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the file is not an ``.npz`` file, or lacks an array. Also if an array is
        too large for the memory, has another size than its header declares, or expands by more than
        :data:`~avalanche_emgd.benchmarks.limits.MOST_EXPANSION`.
    """
    if not file.is_file():
        raise FileNotFoundError(f"`file` {str(file)!r} is not there.")
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            missing = [key for key in keys if f"{key}.npy" not in names]
            if missing:
                raise ValueError(f"it has no {', '.join(missing)}")
            sizes = {key: _checked_size(archive, key) for key in keys}
            total, free = sum(sizes.values()), psutil.virtual_memory().available
            if total > MEMORY_SHARE * free:
                raise ValueError(
                    f"its arrays have {_in_words(total)}, more than {MEMORY_SHARE:.0%} of the "
                    f"{_in_words(free)} of free memory: save fewer samples, or smaller ones"
                )
            return {key: _read(archive, key) for key in keys}
    except Exception as error:  # for damaged headers, NumPy raises errors of all kinds
        wanted = " and ".join(filter(None, (", ".join(keys[:-1]), keys[-1])))
        raise ValueError(
            f"`file` {str(file)!r} must be a NumPy .npz file with {wanted}, of numbers or text: "
            f"{first_line(error).rstrip('.')[:500]}."
        ) from None


def _checked_size(archive: zipfile.ZipFile, key: str) -> int:
    """Return the size of an array in bytes, from its header, and check it."""
    entry = archive.getinfo(f"{key}.npy")
    with archive.open(entry) as stream:
        shape, dtype, header = _header(stream)
    if dtype.hasobject:
        raise ValueError(f"{key} has Python objects: save text as {key}.astype(str)")
    size = math.prod(shape) * dtype.itemsize
    if header + size != entry.file_size:
        raise ValueError(
            f"{key} declares {_in_words(size)} in shape {shape} of {dtype}, but has "
            f"{_in_words(entry.file_size - header)}"
        )
    if size > _SMALL and size > MOST_EXPANSION * entry.compress_size:
        raise ValueError(
            f"{key} expands from {_in_words(entry.compress_size)} to {_in_words(size)}, by more "
            f"than {MOST_EXPANSION} times: save it with numpy.savez, which does not compress"
        )
    return size


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Read the header of an array: its shape, its type, and the header's length in bytes."""
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"an array is of the unknown version {version}")
    shape, _, dtype = _HEADERS[version](stream)
    if any(length < 0 for length in shape):
        raise ValueError(f"an array has the shape {shape}")
    return shape, dtype, stream.tell()


def _read(archive: zipfile.ZipFile, key: str) -> Any:
    with archive.open(f"{key}.npy") as stream:
        return npy.read_array(stream, allow_pickle=False)


def _in_words(size: float) -> str:
    if size < 1e6:
        return f"{size:,.0f} bytes"
    return f"{size / 1e6:,.3g} MB" if size < 1e9 else f"{size / 1e9:,.4g} GB"
