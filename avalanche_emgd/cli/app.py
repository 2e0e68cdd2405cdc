"""The application itself, and how its commands complain."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer
from rich.console import Console

from .. import __version__

__all__ = ["app", "complains", "console"]

app = typer.Typer(
    help="Parallel continual learning with elastic multi-gradient descent.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
console = Console()


def complains(command: Callable[..., None]) -> Callable[..., None]:
    """Errors of the user's making are one line, not a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (ValueError, FileNotFoundError, FileExistsError) as error:
            Console(stderr=True, soft_wrap=True).print(f"Error: {error}", markup=False)
            sys.exit(2)

    return wrapped


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"avalanche-emgd {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Parallel continual learning with elastic multi-gradient descent."""
    # As `python -m` does: methods of one's own are found in the current directory.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
