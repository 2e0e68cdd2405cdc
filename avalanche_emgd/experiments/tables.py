"""Tables of runs."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten

from rich.table import Table

from .run import Run

__all__ = ["comparison_table", "task_table"]


def task_table(run: Run) -> Table:
    """Table of the accuracy of each task at its own end and at the very end, in percent.

    A column counts the classes, and lists names that are not labels.
    """
    benchmark, result = run.benchmark, run.result
    table = Table(
        title=f"{run.config.benchmark}, {run.config.scenario}-incremental, {run.config.label}"
    )
    table.add_column("task")
    table.add_column("classes", justify="right")
    table.add_column("ticks", justify="right")
    for heading in ("at its end", "at the very end", "difference"):
        table.add_column(heading, justify="right")
    for task, name in enumerate(benchmark.task_names):
        first, last = benchmark.timeline.spans[task]
        at_end, final = result.at_end[task], result.final[task]
        table.add_row(
            name,
            _classes(run, task),
            f"{first}–{last}",
            _percent(at_end),
            _percent(final),
            _signed(final - at_end),
        )
    table.add_section()
    table.add_row(
        "mean",
        "",
        "",
        f"A_e {_percent(result.A_e)}",
        f"A_ē {_percent(result.A_ebar)}",
        f"F_ē {_signed(result.F_ebar)}",
    )
    return table


def _classes(run: Run, task: int) -> str:
    number, names = len(run.benchmark.label_sets[task]), run.class_names(task)
    return (
        f"{number}: {shorten(', '.join(names), 40, placeholder=' ...')}" if names else f"{number}"
    )


def comparison_table(runs: Sequence[Run]) -> Table:
    """Table with a row for each run, in percent."""
    first = runs[0].config
    table = Table(title=f"{first.benchmark}, {first.scenario}-incremental, seed {first.seed}")
    table.add_column("method")
    for heading in ("A_e", "A_ē", "F_ē"):
        table.add_column(heading, justify="right")
    for run in runs:
        result = run.result
        table.add_row(
            run.config.label,
            _percent(result.A_e),
            _percent(result.A_ebar),
            _signed(result.F_ebar),
        )
    return table


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")
