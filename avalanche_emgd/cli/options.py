"""Options that several commands have, beside those of settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the files of an earlier run; other files stay."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Print nothing but errors; results are in the files.")
]


def typed(**options: Any) -> dict[str, Any]:
    """Choose the options that were typed: neither ``None`` nor a flag that is off."""
    return {name: v for name, v in options.items() if not (v is None or v is False)}
