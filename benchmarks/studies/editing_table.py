r"""Table and picture of the effects of memory editing, from studies with several memory sizes.

Example::

    python benchmarks/studies/editing_table.py runs/editing-5 runs/editing-20 runs/editing-50 \
        --picture docs/images/editing.png

Each directory holds a study of ``editing.yaml``; the method ``emgd-gmc`` is without
editing. The others are compared with it run by run (same label set, time line and seed).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer
from matplotlib.figure import Figure
from rich.console import Console

from avalanche_emgd.experiments.records import Record, load_records
from avalanche_emgd.experiments.report.runs import finished_runs, scenarios_of
from avalanche_emgd.experiments.report.statistics import bootstrap_interval
from avalanche_emgd.experiments.report.words import difference

WITHOUT = "emgd-gmc"
COLUMNS = (
    "per class", "scenario", "editing", "difference of A_ē", "difference of F_ē", "wins",
    "ticks/s ÷ without", "cosine before", "after", "mean drift at the end",
)  # fmt: skip


def main(
    directories: Annotated[list[Path], typer.Argument(help="Output directories of the studies.")],
    picture: Annotated[Path, typer.Option(help="Picture to write.")],
) -> None:
    """Print the table, and draw alignment and drift over ticks."""
    say = Console(soft_wrap=True, markup=False, highlight=False).print
    say("| " + " | ".join(COLUMNS) + " |")
    say("|---:|---|---|" + "---:|" * (len(COLUMNS) - 3))
    edited: dict[tuple[int, str, str], list[Record]] = {}
    for directory in directories:
        records = load_records(directory)
        size = records[0]["config"]["memory_per_class"]
        for scenario in scenarios_of(records):
            runs = finished_runs(records, scenario)
            for method in sorted(set(runs) - {WITHOUT}):
                pairs = [(r, runs[WITHOUT][b]) for b, r in runs[method].items()]
                say(_row(size, scenario, method, pairs))
                edited[size, scenario, method] = [run for run, _ in pairs]
    _draw(edited).savefig(picture, dpi=150)


def _row(size: int, scenario: str, method: str, pairs: Sequence[tuple[Record, Record]]) -> str:
    gains = [
        difference(bootstrap_interval([run[name] - base[name] for run, base in pairs]))
        for name in ("A_ebar", "F_ebar")
    ]
    wins = fmean(
        (run["A_ebar"] > base["A_ebar"]) + 0.5 * (run["A_ebar"] == base["A_ebar"])
        for run, base in pairs
    )
    measures = [measure for run, _ in pairs for measure in run["editing"]]
    cells = [
        size, scenario, method, *gains, f"{100 * wins:.0f} %",
        f"{fmean(run['ticks_per_second'] / base['ticks_per_second'] for run, base in pairs):.2f}",
        f"{fmean(m['before'] for m in measures):.3f}", f"{fmean(m['after'] for m in measures):.3f}",
        f"{fmean(run['editing'][-1]['mean_drift'] for run, _ in pairs):.2f}",
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _draw(edited: dict[tuple[int, str, str], list[Record]]) -> Figure:
    """Mean drift, and the gain in cosine by an edit, over the share of a run."""
    scenarios = list(dict.fromkeys(scenario for _, scenario, _ in edited))
    smallest = min(size for size, _, _ in edited)
    figure = Figure(figsize=(9.5, 5.6), layout="constrained")
    panels = figure.subplots(2, len(scenarios), sharex=True, sharey="row", squeeze=False)
    for column, scenario in enumerate(scenarios):
        for (size, where, method), runs in edited.items():
            if where != scenario or size != smallest:
                continue
            points = sorted(
                (m["tick"] / run["ticks"], m["mean_drift"], m["after"] - m["before"])
                for run in runs
                for m in run["editing"]
            )
            xs = [100 * x for x, _, _ in _windows(points)]
            panels[0][column].plot(xs, [drift for _, drift, _ in _windows(points)], label=method)
            panels[1][column].plot(xs, [gain for _, _, gain in _windows(points)])
        panels[0][column].set_title(f"{scenario}-incremental, {smallest} per class")
        panels[1][column].set_xlabel("share of the run (%)")
    panels[0][0].set_ylabel("mean drift (L2)")
    panels[1][0].set_ylabel("cosine, after − before")
    panels[0][0].legend(frameon=False)
    for ax in panels.ravel():
        ax.grid(alpha=0.25)
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _windows(points: Sequence[tuple[float, ...]], number: int = 12) -> list[tuple[float, ...]]:
    """Means of neighbouring points."""
    size = max(1, len(points) // number)
    pieces = [points[i : i + size] for i in range(0, len(points) - size + 1, size)]
    return [tuple(map(fmean, zip(*piece, strict=True))) for piece in pieces]


if __name__ == "__main__":
    typer.run(main)
