r"""Choice of the defaults of GMC and GS: PS-EMNIST, seeds 0 to 2 on three time lines.

Example::

    python benchmarks/studies/tune_elastic_factors.py --data-root DIR --protocol FILE \
        --output runs/tune

Takes about two minutes a row on one core. Finished rows are kept and not repeated. Seeds from 3 on
are left for the report.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track

from avalanche_emgd import (
    MLP,
    AvgGradStrategy,
    EMGDStrategy,
    ParallelBenchmark,
    Protocol,
    ps_emnist,
)
from avalanche_emgd.benchmarks import Scenario
from avalanche_emgd.evaluation import PCLMetrics, PCLResult, quiet_evaluator
from avalanche_emgd.optim import GMC, GS, ElasticFactor

SEEDS = (0, 1, 2)
TIMELINES = (0, 1, 2)
SCENARIOS: tuple[Scenario, ...] = ("class", "task")
CANDIDATES: dict[str, Callable[[], ElasticFactor] | None] = {
    "plain average": None,
    "GMC, p = 1, decay 0, c = 0": lambda: GMC(1.0, 0.0, 0.0),
    "GMC, p = 1, decay 0.9, c = 0": lambda: GMC(1.0, 0.9, 0.0),
    "GMC, p = 1, decay 0.5, c = 0.3": lambda: GMC(1.0, 0.5, 0.3),
    "GMC, p = 1, decay 0.8, c = 0.5": lambda: GMC(1.0, 0.8, 0.5),
    "GMC, p = 1, decay 0.9, c = 0.3": lambda: GMC(1.0, 0.9, 0.3),
    "GMC, p = 2, decay 0.8, c = 0.3": lambda: GMC(2.0, 0.8, 0.3),
    "GMC, p = 2, decay 0.8, c = 0.5": lambda: GMC(2.0, 0.8, 0.5),
    "GMC, p = 2, decay 0.9, c = 0.3": lambda: GMC(2.0, 0.9, 0.3),
    "GS, p = 2, decay 0, c = 0": lambda: GS(2.0, 0.0, 0.1, 0.0),
    "GS, p = 2, decay 0, c = 0.3": lambda: GS(2.0, 0.0, 0.1, 0.3),
    "GS, p = 2, decay 0.5, c = 0.3": lambda: GS(2.0, 0.5, 0.1, 0.3),
    "GS, p = 2, decay 0.8, c = 0.5": lambda: GS(2.0, 0.8, 0.1, 0.5),
}


def main(
    data_root: Annotated[Path, typer.Option(help="Folder that holds torchvision's EMNIST.")],
    protocol: Annotated[Path, typer.Option(help="Published protocol of PS-EMNIST.")],
    output: Annotated[Path, typer.Option(help="Directory for the rows and the table.")],
    label_set: Annotated[int, typer.Option(help="Label set of the protocol.")] = 0,
) -> None:
    """Run what is missing, then write and print the table."""
    output.mkdir(parents=True, exist_ok=True)
    benchmarks: dict[Scenario, list[ParallelBenchmark]] = {}
    for scenario in SCENARIOS:
        for timeline in TIMELINES:
            classes, spans = Protocol.load(protocol).select(label_set, timeline)
            benchmarks.setdefault(scenario, []).append(
                ps_emnist(data_root, scenario=scenario, label_sets=classes, timeline=spans)
            )
    rows = {}
    for number, name in enumerate(track(CANDIDATES, description="candidates")):
        file = output / f"{number:02}.json"
        if not file.exists():
            file.write_text(json.dumps([name, _row(CANDIDATES[name], benchmarks)]))
        found, rows[name] = json.loads(file.read_text())
        if found != name:
            raise typer.BadParameter(f"{file} is of {found!r}, not of {name!r}: remove it.")
    table = _table(rows)
    (output / "table.md").write_text(table, encoding="utf-8")
    Console(soft_wrap=True).print(table, markup=False, highlight=False)


def _row(
    make: Callable[[], ElasticFactor] | None, benchmarks: dict[Scenario, list[ParallelBenchmark]]
) -> dict[str, list[tuple[float, float]]]:
    """(A_ē, F_ē) of each run, by scenario."""
    row = {}
    for scenario in SCENARIOS:
        results = [
            _run(make() if make else None, benchmark, seed)
            for benchmark in benchmarks[scenario]
            for seed in SEEDS
        ]
        row[scenario] = [(result.A_ebar, result.F_ebar) for result in results]
    return row


def _run(elastic: ElasticFactor | None, benchmark: ParallelBenchmark, seed: int) -> PCLResult:
    torch.manual_seed(seed)
    model, metrics = MLP(benchmark.num_classes), PCLMetrics(benchmark)
    arguments: dict[str, Any] = {
        "optimizer": torch.optim.Adam(model.parameters(), lr=0.003),
        "memory_size": 5 * benchmark.num_classes,
        "seed": seed,
        "evaluator": quiet_evaluator(metrics),
    }
    strategy = (
        AvgGradStrategy(model, **arguments)
        if elastic is None
        else EMGDStrategy(model, elastic=elastic, **arguments)
    )
    strategy.train(benchmark.train_stream, eval_streams=[])
    result = metrics.result()
    if result is None:
        raise RuntimeError("Training ended before the end of the stream.")
    return result


def _table(rows: dict[str, dict[str, list[tuple[float, float]]]]) -> str:
    lines = [
        "| | class-incremental: A_ē | F_ē | task-incremental: A_ē | F_ē |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = []
        for scenario in SCENARIOS:
            for figure in (0, 1):
                values = [100.0 * run[figure] for run in row[scenario]]
                cells.append(f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}")
        lines.append(f"| {name} | " + " | ".join(cells).replace("-", "−") + " |")
    runs = len(SEEDS) * len(TIMELINES)
    lines += [
        "",
        f"Percent, mean ± standard deviation of {runs} runs each. torch {torch.__version__}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
