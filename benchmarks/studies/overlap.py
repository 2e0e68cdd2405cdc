r"""The gain on harder streams: PS-EMNIST from serial to joint, and from 5 to 20 tasks.

Example::

    python benchmarks/studies/overlap.py --data-root DIR --output runs/overlap \
        --picture docs/images/overlap.png

Each overlap and each number of tasks is a study in a directory of its own. Finished runs are kept
and not repeated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from matplotlib.figure import Figure
from rich.console import Console

from avalanche_emgd.experiments import StudyConfig, run_study

SEEDS = (3, 4, 5)
OVERLAPS = (0.0, 0.25, 0.5, 0.75, 1.0)
TASKS = (5, 10, 20)
INGREDIENTS: dict[str, Any] = {
    "memory_objectives": "per-task",
    "memory_loss": "stored-probabilities",
    "competition": 0.5,
    "tested_weights": "average",
}
METHODS: dict[str, dict[str, Any]] = {
    "emgd++": {"method": "emgd++"},
    "average, same ingredients": {"method": "avg", "settings": INGREDIENTS},
    "ER, same ingredients": {"method": "er", "settings": INGREDIENTS},
    "DER++": {"method": "der++", "settings": {"alpha": 2.0}},
}
SCENARIOS = ("class", "task")


def main(
    data_root: Annotated[Path, typer.Option(help="Folder that holds torchvision's EMNIST.")],
    output: Annotated[Path, typer.Option(help="Directory for the studies and the table.")],
    picture: Annotated[Path, typer.Option(help="Picture to write (.png, .svg, .pdf).")],
    workers: Annotated[int | None, typer.Option(help="Processes; one for each core.")] = None,
) -> None:
    """Run what is missing, then draw the picture, and write and print the table."""
    axes: dict[str, dict[float, pd.DataFrame]] = {"overlap": {}, "tasks": {}}
    for axis, value in [
        *(("overlap", overlap) for overlap in OVERLAPS),
        *(("tasks", tasks) for tasks in TASKS),
    ]:
        streams = {"overlap": value} if axis == "overlap" else {"num_tasks": int(value)}
        study = StudyConfig(
            benchmark="ps-emnist",
            data_root=str(data_root),
            methods=[{"name": name, **entry} for name, entry in METHODS.items()],
            scenarios=list(SCENARIOS),
            seeds=list(SEEDS),
            **streams,
        )
        axes[axis][value] = run_study(study, output / f"{axis}-{value:g}", workers=workers)
    draw(axes).savefig(picture, dpi=150)
    table = "\n\n".join(table_of(axis, found) for axis, found in axes.items()) + "\n"
    (output / "table.md").write_text(table, encoding="utf-8")
    Console(soft_wrap=True).print(table, markup=False, highlight=False)


def draw(axes: dict[str, dict[float, pd.DataFrame]]) -> Figure:
    """Draw A_ē over overlap and over the number of tasks, a row for each scenario."""
    figure = Figure(figsize=(11.0, 7.0), layout="constrained")
    panels = figure.subplots(len(SCENARIOS), len(axes), sharey="row", squeeze=False)
    for row, scenario in zip(panels, SCENARIOS, strict=True):
        for panel, (axis, found) in zip(row, axes.items(), strict=True):
            for name in METHODS:
                groups = [_values(table, scenario, name) for table in found.values()]
                panel.errorbar(
                    list(found),
                    [group.mean() for group in groups],
                    [group.std() for group in groups],
                    marker="o",
                    capsize=3,
                    label=name,
                )
            panel.set_title(f"{scenario}-incremental")
            panel.set_xlabel("overlap: 0 serial, 1 joint" if axis == "overlap" else "tasks")
            panel.set_xticks(list(found))
            panel.grid(alpha=0.25)
            panel.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel("A_ē in percent")
    panels[0][0].legend(frameon=False)
    return figure


def table_of(axis: str, found: dict[float, pd.DataFrame]) -> str:
    """Table in Markdown: A_ē in percent, mean ± standard deviation."""
    lines = [
        f"| {axis} | scenario | " + " | ".join(METHODS) + " |",
        "|---:|---|" + "---:|" * len(METHODS),
    ]
    for value, table in found.items():
        for scenario in SCENARIOS:
            groups = [_values(table, scenario, name) for name in METHODS]
            cells = [f"{group.mean():.1f} ± {group.std():.1f}" for group in groups]
            lines.append(f"| {value:g} | {scenario} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _values(table: pd.DataFrame, scenario: str, name: str) -> pd.Series[float]:
    rows = table[(table["scenario"] == scenario) & (table["method"] == name)]
    return 100.0 * rows["A_ebar"]


if __name__ == "__main__":
    typer.run(main)
