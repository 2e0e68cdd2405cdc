"""Files that are written whole or not at all."""

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
    """Context in which a draft is written; when it ends well, the draft takes the place of a file.

    At any time, also after a crash, the file holds the old content or the new one.

    :param path: of the file, in a directory that exists.
    :return: path of the draft, a hidden file in the same directory.
    :raises ValueError: if it cannot be written, on a full disk for example; says why.
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
    """Write whole or not at all, a list of numbers in one line."""
    text = json.dumps(content, indent=indent)
    text = _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text)
    with replacing(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")
