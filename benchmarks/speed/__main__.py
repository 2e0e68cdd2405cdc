"""Measure everything, print and save a table of ratios and goals."""

from __future__ import annotations

import json
import platform
import sys
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from .cases import CASES
from .finding import FULL, QUICK, Finding


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Measure for under two minutes.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Name of a case: " + ", ".join(c.__name__ for c in CASES))
    ] = None,
    threads: Annotated[int, typer.Option(help="Of torch.")] = 2,
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("runs/speed.json"),
) -> None:
    """Measure everything, print and save the table; exit status 1 if a goal is missed.

    Example: python -m benchmarks.speed --quick
    """
    cases = [case for case in CASES if only in (None, case.__name__)]
    if not cases:
        raise typer.BadParameter(
            f"`only` must be one of {', '.join(c.__name__ for c in CASES)}, found {only!r}."
        )
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore")  # Avalanche's, about its own deprecations
    console = Console(width=150)
    findings: list[Finding] = []
    for case in track(cases, "Measuring", console=console):
        findings += case(QUICK if quick else FULL)
    table = Table("what", "against", "found", "goal", "behind it", title="Speed")
    for found in findings:
        sign = "≥" if found.at_least else "≤"
        style = "" if found.reached else "bold red"
        value = f"[{style}]{found.value:.3g}[/]" if style else f"{found.value:.3g}"
        table.add_row(found.what, found.against, value, f"{sign} {found.goal:g}", found.detail)
    console.print(table)
    machine = {
        "machine": f"{platform.machine()}, {threads} threads",
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "avalanche-lib", "torchjd", "cvxopt")},
        "quick": quick,
    }
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), highlight=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    content = {**machine, "findings": [asdict(f) | {"reached": f.reached} for f in findings]}
    output.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"Saved: {output}", soft_wrap=True)
    missed = [found for found in findings if not found.reached]
    for found in missed:
        sign = "at least" if found.at_least else "at most"
        print(
            f"Goal missed: {found.what}, against {found.against}: {found.value:.3g}, must be "
            f"{sign} {found.goal:g}.",
            file=sys.stderr,
        )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    typer.run(main)
