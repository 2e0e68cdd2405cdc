"""Mutations of files: of bytes, of parts of archives, and of values."""

from __future__ import annotations

import io
import math
import random
import zipfile
from typing import Any

SCRIPT = "<script>alert(1)</script>"
TEXTS = (
    *("", " ", "\0", "\ud800", "a" * 100_000, "é" * 300, "\u202e", "\n\r\n", "%s%n", "{}", "None"),
    *("../../../../etc/passwd", "/dev/zero", "/proc/self/mem", "..", ".", "CON", "a/../../b", "~"),
    *(SCRIPT, '"><img src=x onerror=alert(1)>', "</svg><script>alert(2)</script>", "javascript:1"),
    *("!!python/object/apply:os.system ['touch PWNED']", "!!python/name:os.system", "*a", "&a *a"),
    *("os:system", "builtins:eval", "posix:abort", "sys:exit", "math:is", "avg", "math:nan"),
    *("nan", "inf", "-inf", "1e999", "9" * 5000, "0x1F", "1_000", "true", "2026-11-28", "~"),
)
NUMBERS = (
    *(0, -1, 1, 2, 7, 255, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**400),
    *(0.0, -0.5, 0.5, 1.5, 1e-300, 1e300, math.nan, math.inf, -math.inf),
)
TOKENS = (
    *(b"\0", b"\xff\xfe", b"{", b"[", b"]" * 50, b'"', b"'", b"- ", b"? ", b"&a [*a]", b"\n", b":"),
    *(b"!!python/object/apply:os.system ['touch PWNED']", b"cposix\nsystem\n(S'touch PWNED'\ntR."),
    *(b"[" * 5000, b"9" * 5000, b"1e999", b"NaN", b"-", b"PK\x03\x04", b"\x80\x04", b"\x93NUMPY"),
    *(b"\x7f\xff\xff\xff", b"\0\0\0\0", b"../", b"<script>", b"a: " * 60, b"*" * 10, b"null"),
)


def value(draw: random.Random, depth: int = 0) -> Any:
    """Draw a hostile plain value."""
    kind = draw.randrange(8)
    if kind == 0:
        return draw.choice([None, True, False])
    if kind <= 3:
        return draw.choice(NUMBERS)
    if kind <= 5 or depth > 2:
        return draw.choice(TEXTS)
    if kind == 6:
        return [value(draw, depth + 1) for _ in range(draw.choice([0, 1, 2, 3, 1000]))]
    return {draw.choice(TEXTS): value(draw, depth + 1) for _ in range(draw.randrange(4))}


def deep(levels: int) -> Any:
    """Make a list in a list in a list."""
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


def changed(content: Any, draw: random.Random, hostile: Any = value) -> Any:
    """Change one value somewhere in plain values, drop it, or add one.

    :param content: mappings, lists and leaves, which are not changed.
    :param hostile: function that draws another value.
    """
    if isinstance(content, dict) and content and draw.random() < 0.93:
        found, key = dict(content), draw.choice(list(content))
        action = draw.random()
        if action < 0.1:
            del found[key]
        elif action < 0.2:
            found[draw.choice([*TEXTS, key, "unknown"])] = hostile(draw)
        elif action < 0.3:
            found[draw.choice(list(content))] = found[key]
        else:
            found[key] = changed(found[key], draw, hostile)
        return found
    if isinstance(content, list | tuple) and content and draw.random() < 0.9:
        items, place = list(content), draw.randrange(len(content))
        action = draw.random()
        if action < 0.15:
            del items[place]
        elif action < 0.3:
            items.insert(place, draw.choice([*items, hostile(draw)]))
        else:
            items[place] = changed(items[place], draw, hostile)
        return items
    return hostile(draw)


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Change bytes: flips, cuts, repetitions, and hostile tokens."""
    found = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 5, 20])):
        place = draw.randrange(len(found) + 1)
        action = draw.randrange(7)
        if action == 0 and found:
            found[place % len(found)] ^= 1 << draw.randrange(8)
        elif action == 1 and found:
            found[place % len(found)] = draw.randrange(256)
        elif action == 2:
            found[place:place] = draw.choice(TOKENS)
        elif action == 3:
            del found[place : place + draw.choice([1, 4, 50])]
        elif action == 4:
            del found[place:]
        elif action == 5:
            size = draw.choice([1, 8, 100])
            found[place:place] = found[place : place + size] * draw.choice([1, 3, 50])
        else:
            token = draw.choice(TOKENS)[:40]
            found[place : place + len(token)] = token
    return bytes(found)


def archive_mutated(content: bytes, draw: random.Random) -> bytes:
    """Change the parts of a zip archive, whose checksums fit again afterwards."""
    parts: list[tuple[str, bytes]] = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    place = draw.randrange(len(parts))
    name, part = parts[place]
    action = draw.random()
    if action < 0.6:
        head = part[:200]
        parts[place] = name, mutated(head, draw) + part[200:]
    elif action < 0.7:
        parts[place] = name, part[: draw.randrange(len(part) + 1)]
    elif action < 0.8:
        parts[place] = draw.choice(["../" + name, "/etc/" + name, name.upper(), SCRIPT]), part
    elif action < 0.9:
        del parts[place]
    else:
        parts[place] = name, b"\0" * draw.choice([10**6, 10**7])
    whole = io.BytesIO()
    kind = draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
    with zipfile.ZipFile(whole, "w", kind) as archive:
        for each, own in parts:
            archive.writestr(each, own)
            if draw.random() < 0.02:
                archive.writestr(each, own[::-1])  # the same name twice
    return whole.getvalue()
