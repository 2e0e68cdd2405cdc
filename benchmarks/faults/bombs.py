"""Files made by hand: pickles that run code, archives and images that expand, and the like."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np
import torch

CANARY = "PWNED"
"""Name of the file that hostile code would make in the current directory."""


class _Runs:
    """A pickle of an instance runs a command when it is loaded."""

    def __reduce__(self) -> Any:
        return os.system, (f"touch {CANARY}",)


def _zip(parts: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return whole.getvalue()


def _npy(shape: tuple[int, ...], data: bytes, dtype: str = "<f8") -> bytes:
    whole = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        whole, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return whole.getvalue() + data


def _arrays(x: bytes) -> bytes:
    y = _npy((4,), np.arange(4).tobytes(), "<i8")
    return _zip({"x_train.npy": x, "y_train.npy": y, "x_test.npy": x, "y_test.npy": y, "x.npy": x})


def _torch(content: Any) -> bytes:
    whole = io.BytesIO()
    torch.save(content, whole)
    return whole.getvalue()


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, own: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + own))
        return struct.pack(">I", len(own)) + kind + own + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


_ALIASES = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12)
)
_OBJECTS = io.BytesIO()
np.savez(_OBJECTS, x_train=np.array([_Runs()] * 4, dtype=object), y_train=np.arange(4))

TEXTS = (
    f"!!python/object/apply:os.system ['touch {CANARY}']".encode(),
    f"methods: !!python/object/apply:os.system ['touch {CANARY}']".encode(),
    b"methods: [!!python/name:os.system , avg]",
    b"%TAG ! tag:yaml.org,2002:python/\n---\n!object/apply:os.abort []",
    _ALIASES,
    b"methods: " + _ALIASES.replace(b"\n", b" "),
    b"a: &a [*a]",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"- " * 50_000,
    b"methods: [avg]\nseeds: [" + b"9" * 1_000_000 + b"]",
    b'{"a": "' + b"\\ud800" * 1000 + b'"}',
    pickle.dumps(_Runs()),
    b"\0" * 1_000_000,
)
"""Protocols, studies and records."""

ARRAYS = (
    _OBJECTS.getvalue(),
    _arrays(_npy((10**9, 10**3), b"")),
    _arrays(_npy((2**62, 2**62), b"")),
    _arrays(_npy((4, 20_000_000), b"\0" * 80_000_000, "|u1")),
    _arrays(_npy((4, -3), b"\0" * 96)),
    _arrays(_npy((4, 3), b"\0" * 96, "|O")),
    _zip({"../x_train.npy": b"", "/etc/passwd": b""}),
    pickle.dumps(_Runs()),
)
"""NumPy files."""

MODELS = (
    pickle.dumps(_Runs()),
    _torch(_Runs()),
    _torch({"kind": _Runs()}),
    _torch(OrderedDict(a=torch.zeros(1).expand(10**9))),
    _torch({"a": torch.zeros(3).as_strided((10**5, 10**5), (0, 0))}),
    _torch(torch.nn.Linear(2, 2)),
    _zip({"archive/data.pkl": b"\0" * 50_000_000, "archive/version": b"3"}),
    _zip({"archive/data.pkl": b"(" * 1_000_000 + b".", "archive/version": b"3"}),
)
"""Checkpoints and models."""

IMAGES = (
    _png(60_000, 60_000, b"\0" * 1000),
    _png(9_000, 9_000, b"\0" * 30_000_000),
    _png(2**31 - 1, 2**31 - 1, b""),
    _png(0, 0, b""),
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"P6 100000 100000 255\n",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(touch) run\n",
    pickle.dumps(_Runs()),
)
"""Images."""
