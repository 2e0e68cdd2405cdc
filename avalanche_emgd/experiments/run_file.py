"""The configuration of a run, read from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._near import did_you_mean
from .._text_files import excerpt, parse_json, read_text
from .config import RunConfig
from .setting import declared

__all__ = ["load_config"]


def load_config(path: str | Path, **instead: Any) -> RunConfig:
    """Read a ``config.json``; the versions of packages in it have no effect.

    :param path: path of the file; paths in it are relative to the current directory.
    :param instead: parameters of :class:`RunConfig` that replace those of the file. With another
        benchmark, method, protocol or division into tasks, settings of the earlier one are dropped.
    :raises ValueError: if the file cannot be read, is of another kind, or has wrong values.
    """
    text = read_text(path, "config")
    try:
        content = parse_json(text)
    except ValueError as error:
        raise ValueError(f"`config` {str(path)!r} is not a JSON file: {error}") from None
    known = [*declared(RunConfig)]
    if not isinstance(content, dict):
        raise ValueError(f"`config` {str(path)!r} must map names to values.")
    content.pop("versions", None)
    for name in content:
        if name not in known:
            raise ValueError(
                f"`config` {str(path)!r} has the unknown key {excerpt(name)}: leave it out."
                f"{did_you_mean(name[:80], known)}"
            )
    other = {name for name, value in instead.items() if value != content.get(name)}
    settings = declared(RunConfig)
    content = {
        name: value
        for name, value in content.items()
        if other.isdisjoint(settings[name].setting.follows)
    }
    try:
        return RunConfig(**{**content, **instead})
    except (TypeError, ValueError) as error:
        raise ValueError(f"`config` {str(path)!r}: {error}") from None
