"""Reading of users' text files in bounded memory, with errors of one line."""

from __future__ import annotations

import json
import os
import re
import reprlib
import stat
import sys
from pathlib import Path
from typing import Any

__all__ = [
    "MOST_BYTES",
    "check_text",
    "excerpt",
    "first_line",
    "line_at",
    "most_digits",
    "parse_json",
    "read_text",
    "writable",
]

MOST_BYTES = 16 * 2**20
"""Size of the largest text file that is read."""

_MOST_DEPTH = 100
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxtuple, _SHORT.maxdict = 4, 20, 20, 20
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 200
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def check_text(text: str, name: str) -> str:
    """Check that a text can be written to a file, printed and used in a path.

    :param text: text to check.
    :param name: description of the argument, for error messages.
    :return: ``text``.
    :raises ValueError: if the text has a surrogate (half a character) or the character 0.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{name} has characters that cannot be encoded: {excerpt(text)}."
        ) from None
    if "\0" in text:
        raise ValueError(f"{name} must not have the character 0, found {excerpt(text)}.")
    return text


def writable(text: str) -> str:
    """Replace the characters that :func:`check_text` refuses by escapes of Python."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()


def excerpt(value: Any, most: int = 80) -> str:
    """Represent a value on one line of limited length, for error messages.

    :param most: largest number of characters.
    """
    if isinstance(value, str):
        words = ascii(value[: most + 1]) if not _encodable(value) else repr(value[: most + 1])
    else:
        try:
            words = _SHORT.repr(value)
        except (ValueError, RecursionError):  # for example numbers with thousands of digits
            words = f"something large of type {type(value).__name__}"
    words = " ".join(words.split())
    return words if len(words) <= most else words[:most] + "…"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class if it is empty."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def read_text(path: str | Path, name: str, *, most: int = MOST_BYTES) -> str:
    """Read a text file.

    :param path: path of a regular file.
    :param name: name of the argument, for error messages.
    :param most: largest size of the file in bytes.
    :raises ValueError: if the path is not a regular file, or the file cannot be read, is too large
        or not UTF-8; the message names the file.
    """
    check_text(str(path), f"`{name}`")
    what = f"`{name}` {excerpt(str(path), 300)}"
    try:
        # Without O_NONBLOCK, opening a pipe blocks.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"{what} is not a file.")
            if status.st_size > most:
                raise ValueError(
                    f"{what} has {status.st_size} bytes, more than the {most} that are read."
                )
            content = file.read(status.st_size + 1)
    except OSError as error:
        raise ValueError(f"{what} cannot be read: {error.strerror}.") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{what} is not a text file: line {line} is not UTF-8.") from None


def most_digits() -> int:
    """Return the largest number of digits of an integer that Python parses.

    Python has a limit since 3.10.7, which users may change or remove.
    """
    limit = getattr(sys, "get_int_max_str_digits", lambda: 0)
    return limit() or 4300


def parse_json(text: str) -> Any:
    """Parse JSON whose numbers are finite, whose keys differ and whose text can be written.

    :raises ValueError: if the text is not such JSON; the message names the line.
    """
    try:
        content = json.loads(text, parse_constant=_no_number, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{where}: not valid JSON: {error.msg}.") from None
    except RecursionError:
        raise ValueError(f"line {_too_deep(text)}: nested too deeply.") from None
    except _NoNumberError as error:
        line = line_at(text, text.find(str(error)))
        raise ValueError(f"line {line}: {error} is not a number of JSON.") from None
    except _RepeatedError as error:
        again = list(re.finditer(rf"{re.escape(json.dumps(str(error)))}\s*:", text))
        where = f"line {line_at(text, again[-1].start())}: " if again else ""
        raise ValueError(f"{where}the key {excerpt(str(error))} is there twice.") from None
    except ValueError:  # raised by Python for numbers with thousands of digits
        found = re.search(rf"\d{{{most_digits()},}}", text)
        line = line_at(text, found.start() if found else 0)
        raise ValueError(f"line {line}: a number has too many digits.") from None
    if "\\u" in text and not _encodable(content):
        found = re.search(r"\\u[dD][89a-fA-F]", text)
        line = line_at(text, found.start() if found else 0)
        raise ValueError(f"line {line}: a text has characters that cannot be encoded.")
    return content


def line_at(text: str, position: int) -> int:
    """Return the line, counted from 1, of a position in a text."""
    return text.count("\n", 0, max(0, position)) + 1


class _RepeatedError(Exception):
    """A key that an object has twice: Python's ``json`` keeps the last value without a word."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedError(next(name for name in names if names.count(name) > 1))
    return content


class _NoNumberError(Exception):
    """NaN or infinity, which Python's ``json`` accepts but JSON does not."""


def _no_number(constant: str) -> Any:
    raise _NoNumberError(constant)


def _too_deep(text: str) -> int:
    """Find the line at which a JSON text is nested too deeply."""
    depth = 0
    for mark in _MARKS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark.group(), 0)
        if depth > _MOST_DEPTH:
            return line_at(text, mark.start())
    return 1


def _encodable(content: Any) -> bool:
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True
