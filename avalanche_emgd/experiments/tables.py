"""Tables of runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from textwrap import shorten

from rich.table import Table

from .finished_run import Run

__all__ = ["comparison_table", "signed", "task_table"]


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
            signed(final - at_end),
        )
    table.add_section()
    table.add_row(
        "mean",
        "",
        "",
        f"A_e {_percent(result.A_e)}",
        f"A_ē {_percent(result.A_ebar)}",
        f"F_ē {signed(result.F_ebar)}",
    )
    return table


def _classes(run: Run, task: int) -> str:
    number, names = len(run.benchmark.label_sets[task]), run.class_names(task)
    return (
        f"{number}: {shorten(', '.join(names), 40, placeholder=' ...')}" if names else f"{number}"
    )


def comparison_table(runs: Sequence[Run]) -> Table:
    """Table with a row for each method, in percent: means over its runs ± standard deviations."""
    first = runs[0].config
    seeds = sorted({run.config.seed for run in runs})
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
    table = Table(title=f"{first.benchmark}, {first.scenario}-incremental, {which}")
    table.add_column("method")
    for heading in ("A_e", "A_ē", "F_ē"):
        table.add_column(heading, justify="right")
    for label in dict.fromkeys(run.config.label for run in runs):
        results = [run.result for run in runs if run.config.label == label]
        table.add_row(
            label,
            _mean([result.A_e for result in results], _percent),
            _mean([result.A_ebar for result in results], _percent),
            _mean([result.F_ebar for result in results], signed),
        )
    return table


def _mean(values: Sequence[float], shown: Callable[[float], str]) -> str:
    if len(values) == 1:
        return shown(values[0])
    return f"{shown(fmean(values))} ± {100 * stdev(values):.1f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def signed(value: float) -> str:
    """Show a fraction as percentage points with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−")
