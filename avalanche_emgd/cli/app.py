"""The Typer application, to which the commands are added."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from .. import __version__
from ..distributed.launcher import size_of_launcher
from .errors import OneLineGroup, stop

__all__ = ["app", "console"]

app = typer.Typer(
    cls=OneLineGroup,
    help="Parallel continual learning with elastic multi-gradient descent.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
console = Console()


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"avalanche-emgd {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Parallel continual learning with elastic multi-gradient descent."""
    if context.invoked_subcommand != "train" and size_of_launcher() > 1:
        stop(f"Error: {context.invoked_subcommand} is for one process: leave out torchrun.", 2)
    # The current directory is searched for modules, as by `python -m`: it may hold a method.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
