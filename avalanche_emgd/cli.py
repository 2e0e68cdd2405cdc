"""The command line: words in, words out; the work is done in ``avalanche_emgd.experiments``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from . import __version__
from .benchmarks import Scenario
from .experiments.config import BenchmarkName

app = typer.Typer(
    help="Parallel continual learning with elastic multi-gradient descent.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
console = Console()

BenchmarkOption = Annotated[BenchmarkName, typer.Option(help="Ready-made benchmark.")]
ScenarioOption = Annotated[
    Scenario,
    typer.Option(
        help="task: the task of a sample is known, only its classes compete; "
        "class: the classes of all tasks started so far compete."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.")]
DataRootOption = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Folder that holds the data set (torchvision's layout)."),
]
DownloadOption = Annotated[bool, typer.Option("--download", help="Download the data set there.")]
ProtocolOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="JSON file with label sets and time lines.")
]
LabelSetOption = Annotated[
    int | None, typer.Option(help="Which label set of the protocol, from 0. Default: 0.")
]
TimelineOption = Annotated[
    int | None, typer.Option(help="Which of its time lines, from 0. Default: 0.")
]
OverlapOption = Annotated[
    float | None,
    typer.Option(help="Overlap of successive tasks: 0 is serial, 1 all at once. Default: random."),
]
TasksOption = Annotated[
    int | None, typer.Option("--tasks", help="Tasks, if no protocol says so. Default: 5.")
]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what an earlier run wrote; other files stay."),
]


def _complains(command: Callable[..., None]) -> Callable[..., None]:
    """Errors of the user's making are one line, not a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (ValueError, FileNotFoundError, FileExistsError) as error:
            Console(stderr=True, soft_wrap=True).print(f"Error: {error}", markup=False)
            sys.exit(2)

    return wrapped


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"avalanche-emgd {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Parallel continual learning with elastic multi-gradient descent."""


@app.command()
@_complains
def train(
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    benchmark: BenchmarkOption = "ps-digits",
    scenario: ScenarioOption = "class",
    method: Annotated[
        str,
        typer.Option(
            help="One of those that `avalanche-emgd methods` lists, or module:callable for one "
            "of your own."
        ),
    ] = "emgd-gmc",
    seed: SeedOption = 0,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    protocol: ProtocolOption = None,
    label_set: LabelSetOption = None,
    timeline: TimelineOption = None,
    overlap: OverlapOption = None,
    tasks: TasksOption = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Samples per task and tick. Default: the benchmark's.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of Adam. Default: the benchmark's.")
    ] = None,
    memory_per_class: Annotated[
        int | None,
        typer.Option(help="Replay memory / number of classes. Default: the benchmark's."),
    ] = None,
    eval_every: Annotated[
        int | None, typer.Option(help="Ticks between tests. Default: about 50 tests in all.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps, ...")] = "cpu",
    overwrite: OverwriteOption = False,
) -> None:
    """Train one model on parallel streams and test it.

    Writes config.json, metrics.json, timeline.png, curves.png and TensorBoard files.

    Example: avalanche-emgd train --benchmark ps-digits --scenario class --method emgd-gs
    --output runs/digits
    """
    from .experiments import RunConfig, run, task_table

    config = RunConfig(
        benchmark=benchmark,
        scenario=scenario,
        method=method,
        seed=seed,
        data_root=data_root,
        download=download,
        protocol=protocol,
        label_set=label_set,
        timeline=timeline,
        overlap=overlap,
        num_tasks=tasks,
        batch_size=batch_size,
        learning_rate=learning_rate,
        memory_per_class=memory_per_class,
        eval_every=eval_every,
        device=device,
    )
    finished = run(config, output, overwrite=overwrite)
    console.print(task_table(finished))
    console.print(f"Results, pictures and TensorBoard files: {output}", soft_wrap=True)


@app.command()
@_complains
def timeline(
    output: Annotated[Path, typer.Option(help="Picture to write (.png, .svg, .pdf).")],
    benchmark: BenchmarkOption = "ps-digits",
    seed: SeedOption = 0,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    protocol: ProtocolOption = None,
    label_set: LabelSetOption = None,
    timeline: TimelineOption = None,
    overlap: OverlapOption = None,
    tasks: TasksOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Draw the spans of the tasks, without training.

    With --protocol alone, the published spans as they are; with a benchmark's data, the spans that
    a run on them would have.

    Example: avalanche-emgd timeline --benchmark ps-digits --overlap 0.5 --output timeline.png
    """
    from .experiments import RunConfig
    from .experiments.timelines import choose_timeline, save_timeline

    config = RunConfig(
        benchmark=benchmark,
        seed=seed,
        data_root=data_root,
        download=download,
        protocol=protocol,
        label_set=label_set,
        timeline=timeline,
        overlap=overlap,
        num_tasks=tasks,
    )
    chosen, names = choose_timeline(config)
    save_timeline(chosen, names, output, overwrite=overwrite)
    for name, (first, last) in zip(names, chosen.spans, strict=True):
        console.print(f"{name}: ticks {first}–{last}", highlight=False)
    console.print(f"Picture: {output}", soft_wrap=True)


@app.command()
@_complains
def demo(
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
) -> None:
    """EMGD beside the plain average on PS-Digits, class-incremental; needs no download.

    Example: avalanche-emgd demo --output runs/demo
    """
    from .experiments import comparison_table
    from .experiments.demo import run_demo

    runs, picture = run_demo(output, seed=seed, overwrite=overwrite)
    console.print(comparison_table(runs))
    console.print("A_e: accuracy of each task at its own end, A_ē: at the very end, F_ē: change.")
    console.print(f"Picture: {picture}", soft_wrap=True)
    console.print(f"Each run's results and TensorBoard files: {output}", soft_wrap=True)
