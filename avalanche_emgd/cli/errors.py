"""Errors of usage and of wrong input: one line that names the option, and exit status 2."""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from typer.core import TyperGroup

from .._near import did_you_mean
from .._text_files import excerpt
from ..experiments.config import RunConfig
from ..experiments.setting import declared
from .interrupts import raised_on_signals, status_of
from .options import typed

__all__ = ["OneLineGroup", "complains", "stop"]

# Base class of typer's errors of usage; typer or click defines it, depending on the version.
_UsageError: Any = typer.BadParameter.__mro__[1]

# Errors that wrong input raises; a damaged file may raise any of them.
_OF_THE_USER = (ValueError, OSError, EOFError, zlib.error)

# Numbers of system errors that only writing raises.
_FULL = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}

# Options that may have set a parameter, where their names differ from the parameter's.
_OPTIONS = {
    **{name: (each.option,) for name, each in declared(RunConfig).items() if each.option != name},
    "data_root": ("images", "npz", "table"),
    "file": ("npz",),
    "directory": ("images",),
    "root": ("data_root",),
    "method": ("methods",),
    "scenario": ("scenarios",),
    "seed": ("seeds",),
    "label_set": ("label_sets",),
    "timeline": ("timelines",),
    "memory_size": ("memory_per_class",),
    "memory_editing": ("edit",),
    "rule": ("edit",),
}
_PATHS = ("--output", "--config")

# The commands as the help lists them.
_ORDER = ("train", "compare", "sweep", "predict", "report", "methods", "timeline", "demo")


class OneLineGroup(TyperGroup):
    """Commands whose errors of usage are one line."""

    def list_commands(self, ctx: Any) -> list[str]:
        """List the names of the commands in a fixed order."""
        return sorted(super().list_commands(ctx), key=_ORDER.index)

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> Any:
        """Run a command; with ``standalone_mode``, exit at its end."""
        run: Any = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **kwargs)
        words = (args[0] if args else kwargs.get("args")) or sys.argv[1:]
        empty = _empty(list(words))
        if empty is not None:
            stop(f"Error: {empty} must not be empty.", 2)
        try:
            status = run(*args, standalone_mode=False, **kwargs)
        except _UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                error.show()
                sys.exit(2)
            help_for = f" ({error.ctx.command_path} --help says more.)" if error.ctx else ""
            stop(f"Error: {_usage(error)}{help_for}", 2)
        except (typer.Abort, KeyboardInterrupt) as error:
            stop("Interrupted.", status_of(error))
        sys.exit(status if isinstance(status, int) else 0)


def _empty(words: list[str]) -> str | None:
    """Name the first path that is an empty text, which would be the current directory."""
    for before, word in zip(["", *words], words, strict=False):
        if word == "" and (before in _PATHS or not before.startswith("-")):
            return f"`{before}`" if before in _PATHS else "an argument"
        if word.endswith("=") and word[:-1] in _PATHS:
            return f"`{word[:-1]}`"
    return None


def _usage(error: Any) -> str:
    """Message of an error of usage, with the most similar valid word."""
    words = re.sub(
        r" ?\(Possible options: .*\)| Did you mean.*|Value error, ", "", error.format_message()
    )
    words = words.rstrip(".") + "."
    found, *quoted = re.findall(r"'([^']*)'", words) or [""]
    if hasattr(error, "option_name") and error.ctx is not None:  # unknown, or without its value
        known = [name for each in error.ctx.command.params for name in each.opts]
        return words + (did_you_mean(error.option_name, known) if "No such" in words else "")
    if "No such command" in words and error.ctx is not None:
        return words + did_you_mean(found, error.ctx.command.commands)
    if "is not one of" in words:
        found, *quoted = quoted if words.startswith("Invalid value for") else (found, *quoted)
        return words + did_you_mean(found, quoted)
    return words


def complains(command: Callable[..., None]) -> Callable[..., None]:
    """Print errors of wrong input as one line that names options, without a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            with raised_on_signals(), _quiet_writers():
                command(*args, **kwargs)
        except KeyboardInterrupt as error:
            stop("Interrupted.", status_of(error))
        except _OF_THE_USER as error:
            words = _words(error, kwargs.get("output"))
            words = as_typed(words, list(signature(command).parameters), typed(**kwargs))
            stop(f"Error: {words}", 2)

    return wrapped


@contextmanager
def _quiet_writers() -> Iterator[None]:
    """Context in which TensorBoard's writing thread prints no traceback of its ``OSError``.

    The next call of the writer raises the error again.
    """
    before = threading.excepthook

    def hook(found: Any) -> None:
        if not (
            isinstance(found.exc_value, OSError)
            and type(found.thread).__module__.startswith("tensorboard.")
        ):
            before(found)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def _words(error: BaseException, output: Path | None) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}."
    if isinstance(error, OSError) and error.strerror:  # of a file that is open already
        if output is not None and error.errno in _FULL:
            return f"`output` {excerpt(str(output), 300)} cannot be written into: {error.strerror}."
        return f"A file cannot be read or written: {error.strerror}."
    if isinstance(error, ValueError | OSError) and str(error):
        return str(error)
    return f"A file is damaged: {error or type(error).__name__}."


def as_typed(message: str, parameters: list[str], given: Collection[str]) -> str:
    """Replace names of parameters in a message by the options that set them.

    :param message: text with names of parameters in backticks.
    :param parameters: names of the command's parameters.
    :param given: parameters whose options were typed. With ``config`` among them, only these are
        replaced: the file has the others by their names in Python.
    """

    def option(match: re.Match[str]) -> str:
        name = match[1]
        candidates = [each for each in (name, *_OPTIONS.get(name, ())) if each in parameters]
        typed = [each for each in candidates if each in given]
        if not typed and "config" in given:
            return match[0]
        chosen = (typed or candidates or [None])[0]
        if chosen is None:
            return match[0]
        # The help shows arguments without dashes in capitals.
        alone = chosen in ("directory", "run")
        return f"`{chosen.upper()}`" if alone else f"`--{chosen.replace('_', '-')}`"

    return re.sub(r"`([a-z_]+)`", option, message)


def stop(words: str, status: int) -> NoReturn:
    """Print one line on the standard error stream, and exit."""
    line = " ".join(words.split("\n"))
    Console(stderr=True, soft_wrap=True).print(line, markup=False, highlight=False)
    sys.exit(status)
