"""Table of PS-EMNIST: methods × scenarios over seeds, mean and standard deviation.

Example::

    python benchmarks/ps_emnist_table.py --data-root DIR --protocol FILE --output runs/ps-emnist

Takes about five seconds a run on two cores. Finished runs are kept and not repeated.
"""

from __future__ import annotations

import json
import platform
import statistics
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track

from avalanche_emgd.experiments import RunConfig, run

# What a row is called, and its method; the order is that of the table.
ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("EMGD, GMC", {"method": "emgd-gmc"}),
    ("EMGD, GS", {"method": "emgd-gs"}),
    ("plain average", {"method": "avg"}),
    ("MGDA", {"method": "mgda"}),
)
SCENARIOS = ("class", "task")
FIGURES = ("A_e", "A_ebar", "F_ebar")


def main(
    data_root: Annotated[Path, typer.Option(help="Folder that holds torchvision's EMNIST.")],
    protocol: Annotated[Path, typer.Option(help="Published protocol of PS-EMNIST.")],
    output: Annotated[Path, typer.Option(help="Directory for the runs and the table.")],
    label_set: Annotated[int, typer.Option(help="Label set of the protocol.")] = 0,
    timeline: Annotated[int, typer.Option(help="Time line of the label set.")] = 0,
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas.")] = "3,4,5",
) -> None:
    """Run what is missing, then write and print the table."""
    chosen = [int(seed) for seed in seeds.split(",")]
    runs = {
        (name, scenario, seed): RunConfig(
            benchmark="ps-emnist",
            scenario=scenario,
            seed=seed,
            data_root=str(data_root),
            protocol=str(protocol),
            label_set=label_set,
            timeline=timeline,
            **settings,
        )
        for name, settings in ROWS
        for scenario in SCENARIOS
        for seed in chosen
    }
    results = {
        key: _result(config, output / f"{config.label}-{config.scenario}-{config.seed}")
        for key, config in track(runs.items(), description="PS-EMNIST")
    }
    table = _table(results, chosen)
    (output / "table.md").write_text(table, encoding="utf-8")
    Console(soft_wrap=True).print(table, markup=False, highlight=False)


def _result(config: RunConfig, directory: Path) -> dict[str, Any]:
    finished = directory / "metrics.json"
    if not finished.exists():
        run(config, directory, overwrite=True, progress=False)
    elif json.loads((directory / "config.json").read_text()) != config.to_json():
        raise typer.BadParameter(f"{directory} holds a run with other settings: remove it.")
    return json.loads(finished.read_text())


def _table(results: dict[tuple[str, str, int], dict[str, Any]], seeds: list[int]) -> str:
    lines = [
        "| | " + " | ".join(f"{s}-incremental: A_e | A_ē | F_ē" for s in SCENARIOS) + " |",
        "|---|" + "---|" * len(FIGURES) * len(SCENARIOS),
    ]
    for name, _ in ROWS:
        cells = [
            _spread([100.0 * results[name, scenario, seed][figure] for seed in seeds])
            for scenario in SCENARIOS
            for figure in FIGURES
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    seconds = sum(result["seconds"] for result in results.values())
    lines += [
        "",
        f"Seeds {', '.join(map(str, seeds))}; percent, mean ± standard deviation; {len(results)} "
        f"runs, {seconds / 60:.0f} minutes in all. torch {torch.__version__}, Python "
        f"{platform.python_version()}, {platform.machine()}, {torch.get_num_threads()} threads.",
    ]
    return "\n".join(lines) + "\n"


def _spread(values: list[float]) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.1f} ± {deviation:.1f}".replace("-", "−")


if __name__ == "__main__":
    typer.run(main)
