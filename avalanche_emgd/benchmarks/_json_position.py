"""Position of a value in a JSON text, so that an error can name the line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]

from .._text_files import line_at

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Find the line on which the value at ``path`` starts.

    :param text: valid JSON.
    :param path: keys and indices that lead to the value. If a part of the path does not exist, the
        result is the line of the last value that exists.
    :return: number of the line, from 1.
    """
    position = _skip(text, 0)
    for step in path:
        inner = _enter(text, position, step)
        if inner is None:
            break
        position = inner
    return line_at(text, position)


def _enter(text: str, position: int, step: str | int) -> int | None:
    """Find the position of member ``step`` of the object or array at ``position``."""
    opening = text[position]
    if opening not in "{[":
        return None
    position = _skip(text, position + 1)
    index = 0
    while text[position] not in "}]":
        key: str | int = index
        if opening == "{":
            key, position = scanstring(text, position + 1)
            position = _skip(text, _skip(text, position) + 1)  # past the colon
        if key == step:
            return position
        _, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
        index += 1
    return None


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
