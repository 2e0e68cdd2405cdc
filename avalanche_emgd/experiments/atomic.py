"""Atomic replacement of files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["replacing", "write_json"]

# Lists of numbers that json lays out with one number per line.
_NUMBERS = re.compile(r"\[\n\s+([-+.\deE]+(?:,\n\s+[-+.\deE]+)*)\n\s+\]")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Context in which a draft is written. At its end without an error, the draft replaces a file.

    At any time, even after a crash, the file has either its old content or the new one.

    :param path: path of the file, in an existing directory.
    :return: path of the draft, a hidden file in the same directory.
    :raises ValueError: if the file cannot be written, for example on a full disk; the message says
        why.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_json(path: Path, content: Any, *, indent: int | None = 2) -> None:
    """Write a JSON file atomically, with each list of numbers on one line."""
    text = json.dumps(content, indent=indent)
    text = _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text)
    with replacing(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")
