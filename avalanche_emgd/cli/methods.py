"""Command that lists the methods."""

from __future__ import annotations

from rich.table import Table

from ..training.method_table import METHODS
from .app import app, console
from .errors import complains


@app.command()
@complains
def methods() -> None:
    """List the built-in methods.

    A method of your own is named module:callable. The current directory is searched for the module,
    too.

    Example: avalanche-emgd methods
    """
    table = Table("method", "family", "about")
    for method in METHODS.values():
        table.add_row(method.name, method.family, method.about)
    console.print(table)
    console.print(
        "parallel: made for parallel continual learning; weighting: of the gradients or losses of "
        "several tasks; serial: serial continual learning; bound: all tasks from the start."
    )
