"""Options that several commands have, beside those of settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the files of an earlier run; other files stay."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(help="Processes on this machine. Default: one for each core.", min=1),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Dask scheduler, to use its workers. Default: this machine's."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Print nothing but errors; results are in the files.")
]


def typed(**options: Any) -> dict[str, Any]:
    """Choose the options that were typed: neither ``None`` nor a flag that is off."""
    return {name: v for name, v in options.items() if not (v is None or v is False)}
