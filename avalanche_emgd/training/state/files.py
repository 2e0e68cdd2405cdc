"""Files of tensors, numbers and text that cannot run code, and checkpoints with a checksum."""

from __future__ import annotations

import hashlib
import io
import math
import os
import pickle
import pickletools
import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor

from ..._atomic import behind_links, replacing
from ..._text_files import first_line
from .errors import StateError
from .header import check_header, make_header

__all__ = ["load_checkpoint", "load_plain", "remove_drafts", "save_checkpoint", "save_plain"]

_THING, _FORMAT = "checkpoint", 1
# What pickles of tensors, numbers, text and containers name. The list keeps out functions that are
# harmless by themselves and can allocate any amount of memory.
_NAMES = frozenset(
    ("collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch device", "torch Size")
)
_STORAGES = frozenset(
    f"torch {kind}Storage"
    for kind in (
        *("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"),
        "Untyped",
    )
)


def save_checkpoint(path: str | Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically: after a crash, the file has its old content or the new one.

    The file has the format version, a SHA-256 checksum and the state. Its size is that of model,
    optimizer state and replay memory; the data set is not in it.

    :param path: path of the file, in an existing folder.
    :param state: result of ``strategy.state_dict()``.
    :raises ValueError: if the file cannot be written, for example on a full disk; the last good
        one stays.
    """
    content = io.BytesIO()
    torch.save(dict(state), content)
    inner = content.getvalue()
    outer = {
        **make_header(_THING, _FORMAT),
        "sha256": hashlib.sha256(inner).hexdigest(),
        "content": torch.frombuffer(bytearray(inner), dtype=torch.uint8),
    }
    save_plain(Path(path), outer)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint of :func:`save_checkpoint`, for ``strategy.load_state_dict``.

    The file is read with ``torch.load(..., weights_only=True)``: it cannot run code.

    :param path: path of the file.
    :raises FileNotFoundError: if the file does not exist.
    :raises StateError: if the file is damaged, of another kind, or of a newer release.
    """
    what = f"`checkpoint` {str(path)!r}"
    outer = load_plain(Path(path), "checkpoint")
    check_header(outer, _THING, _FORMAT, what)
    content = outer.get("content")
    if not isinstance(content, Tensor) or content.dtype != torch.uint8 or content.ndim != 1:
        raise StateError(f"{what} is damaged: it has no content.")
    inner = content.contiguous().numpy().tobytes()
    if hashlib.sha256(inner).hexdigest() != outer.get("sha256"):
        raise StateError(f"{what} is damaged: its checksum is wrong.")
    return _loaded(io.BytesIO(inner), len(inner), what)


def save_plain(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors, numbers, text and containers atomically.

    :raises ValueError: if the file cannot be written.
    """
    whole = io.BytesIO()
    torch.save(dict(content), whole)
    remove_drafts(path)
    with replacing(path) as draft:
        draft.write_bytes(whole.getbuffer())


def load_plain(path: Path, argument: str) -> dict[str, Any]:
    """Read a file of :func:`save_plain`.

    :param path: path of the file.
    :param argument: name of the argument that names the file, for messages.
    :raises FileNotFoundError: if the file does not exist.
    :raises StateError: if the file is damaged, or has other than tensors, numbers and text.
    """
    what = f"`{argument}` {str(path)!r}"
    if not path.is_file():
        raise FileNotFoundError(f"{what} is not there.")
    try:
        with path.open("rb") as stream:
            return _loaded(stream, path.stat().st_size, what)
    except OSError as error:
        raise StateError(f"{what} cannot be read: {error.strerror or error}.") from error


def remove_drafts(path: Path) -> None:
    """Remove drafts of a file that killed processes have left."""
    path = behind_links(path)
    drafts = re.compile(rf"\.{re.escape(path.name)}\.([0-9]{{1,9}})")
    # What cannot be listed or removed is no reason to write no checkpoint.
    with suppress(OSError):
        found = [match for name in os.listdir(path.parent) if (match := drafts.fullmatch(name))]
        for match in found:
            process = int(match[1])
            if process != os.getpid() and not psutil.pid_exists(process):
                with suppress(OSError):
                    path.with_name(match[0]).unlink()


def _loaded(stream: Any, size: int, what: str) -> dict[str, Any]:
    """Check the names and sizes in a file of torch, and load it."""
    try:
        _check_archive(stream, size)
        stream.seek(0)
        found = torch.load(stream, map_location="cpu", weights_only=True)
        if not isinstance(found, dict):
            raise ValueError(f"it has a {type(found).__name__}")
        _check_size(found, size)
    except OSError:
        raise
    except Exception as error:  # of a damaged or a hostile file, torch raises all kinds
        words = first_line(error).rstrip(".")[:200] or type(error).__name__
        raise StateError(
            f"{what} cannot be loaded, it is damaged or of another kind: {words}."
        ) from None
    return found


def _check_archive(stream: Any, size: int) -> None:
    with zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > size:
            raise ValueError("it expands")
        sizes = {entry.filename.partition("/")[2]: entry.file_size for entry in entries}
        pickles = [each for each in entries if each.filename.endswith(".pkl")]
        if len(pickles) != 1:
            raise ValueError("it has no single table of contents")
        _check_pickle(archive.read(pickles[0]), sizes)


def _check_pickle(content: bytes, sizes: Mapping[str, int]) -> None:
    """Check that a pickle names no function but those of tensors, and reads within its records."""
    for code, argument, _ in pickletools.genops(content):
        if code.name == "GLOBAL" and argument not in _NAMES | _STORAGES:
            raise ValueError(f"it names {str(argument)[:80]!r}")
        if code.name in ("STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4"):
            raise ValueError("it is of another protocol")
    _check_storages(content, sizes)


def _check_storages(content: bytes, sizes: Mapping[str, int]) -> None:
    """Check that storages are as long as their records."""

    class Storages(pickle.Unpickler):
        """Reads the table of contents with stand-ins for tensors; names are checked before."""

        def find_class(self, module: str, name: str) -> Any:
            if name.endswith("Storage"):
                return name
            return dict if name == "OrderedDict" else lambda *arguments: None

        def persistent_load(self, pid: Any) -> None:
            kind, key, number = pid[1], str(pid[2]), int(pid[4])
            width = 1 if kind == "UntypedStorage" else _WIDTHS[kind.removesuffix("Storage")]
            if number < 0 or number * width != sizes.get(f"data/{key}", -1):
                raise ValueError("a tensor has another size than its data")

    Storages(io.BytesIO(content)).load()


_WIDTHS = {
    **{"Double": 8, "Long": 8, "Float": 4, "Int": 4, "Half": 2, "BFloat16": 2, "Short": 2},
    **{"Char": 1, "Byte": 1, "Bool": 1},
}


def _check_size(value: Any, most: int) -> None:
    """Check that a value has at most ``most`` bytes in tensors, and as many parts."""
    parts, numbers, stack = 0, 0, [value]
    while stack:
        part = stack.pop()
        parts += 1
        if isinstance(part, Tensor):
            numbers += math.prod(part.shape) * part.element_size()
        elif isinstance(part, Mapping):
            stack += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple):
            stack += part
        if max(parts, numbers) > most or len(stack) > most:
            raise ValueError("its content is larger than the file")
