"""JSON files of results, laid out for readers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .._atomic import replacing

__all__ = ["write_json"]

# Lists of numbers that json writes with one number per line.
_NUMBERS = re.compile(r"\[\n\s+([-+.\deE]+(?:,\n\s+[-+.\deE]+)*)\n\s*\]")


def write_json(path: Path, content: Any, *, indent: int | None = 2) -> None:
    """Write a JSON file atomically, with each list of numbers on one line."""
    text = json.dumps(content, indent=indent)
    text = _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text)
    with replacing(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")
