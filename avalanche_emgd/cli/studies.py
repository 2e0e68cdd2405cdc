"""Commands about studies: many runs, and the report on them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.console import Console

from ..experiments.output import holds_files
from ..experiments.study_config import StudyConfig
from ..experiments.study_directory import check_study
from ..experiments.worker_processes import importing_early
from .app import app, console
from .errors import INTERRUPTED, complains, stop
from .options import (
    AugmentOption,
    BatchSizeOption,
    BenchmarkOption,
    ChannelsLastOption,
    DataRootOption,
    DeviceOption,
    DownloadOption,
    EpochsOption,
    LearningRateOption,
    MemoryPerClassOption,
    ModelOption,
    OptimizerOption,
    OverlapOption,
    PrecisionOption,
    ProtocolOption,
    QuietOption,
    TasksOption,
    ThreadsOption,
    WeightDecayOption,
    typed,
)
from .own_data import (
    FeatureColumnsOption,
    ImagesOption,
    LabelColumnOption,
    NpzOption,
    RawFeaturesOption,
    TableOption,
    TaskColumnOption,
    TestShareOption,
    TestTableOption,
    column_names,
    data_options,
)

_SHOWN = 10  # failed runs at most
_LIST = "A,B,..."
T = TypeVar("T")


@app.command()
@complains
def compare(
    output: Annotated[
        Path, typer.Option(help="Directory for the results, or with those of this study so far.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="YAML file with a study, such as the study.yaml of an earlier one; options take "
            "the place of what it says.",
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar=_LIST,
            help="Of those that `avalanche-emgd methods` lists, module:callable for one of your "
            "own, or names in the file with the study.",
        ),
    ] = None,
    scenarios: Annotated[
        str | None, typer.Option(metavar=_LIST, help="task, class, or both. Default: class.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(metavar=_LIST, help="Default: 0.")] = None,
    label_sets: Annotated[
        str | None,
        typer.Option(metavar=_LIST, help="Of the protocol, from 0. Default: 0."),
    ] = None,
    timelines: Annotated[
        str | None,
        typer.Option(metavar=_LIST, help="Of each label set, from 0. Default: 0."),
    ] = None,
    benchmark: BenchmarkOption = None,
    images: ImagesOption = None,
    npz: NpzOption = None,
    table: TableOption = None,
    label_column: LabelColumnOption = None,
    task_column: TaskColumnOption = None,
    feature_columns: FeatureColumnsOption = None,
    test_table: TestTableOption = None,
    test_share: TestShareOption = None,
    raw_features: RawFeaturesOption = False,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    protocol: ProtocolOption = None,
    overlap: OverlapOption = None,
    tasks: TasksOption = None,
    model: ModelOption = None,
    augment: AugmentOption = False,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    optimizer: OptimizerOption = None,
    learning_rate: LearningRateOption = None,
    weight_decay: WeightDecayOption = None,
    memory_per_class: MemoryPerClassOption = None,
    eval_every: Annotated[
        int | None,
        typer.Option(help="Ticks between tests. Default: tests when a task starts or ends."),
    ] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    channels_last: ChannelsLastOption = False,
    threads: ThreadsOption = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes on this machine. Default: one for each core.", min=1),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Dask scheduler, to use its workers. Default: this machine's."
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Repeat the runs that have failed.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Run every method in every scenario with every label set, time line and seed.

    Writes study.yaml, a file in records/ for each finished run, results.csv and results.parquet.
    Interrupted, the same command continues; with more methods, seeds and so on it does what is
    missing. Exit status 1 if a run has failed.

    Example: avalanche-emgd compare --benchmark ps-digits --methods emgd-gmc,avg --seeds 0,1,2
    --scenarios task,class --output runs/digits-study
    """
    given = typed(
        methods=_entries(methods, "methods", str),
        scenarios=_entries(scenarios, "scenarios", str),
        seeds=_entries(seeds, "seeds", int),
        label_sets=_entries(label_sets, "label_sets", int),
        timelines=_entries(timelines, "timelines", int),
        **data_options(benchmark, data_root, images, npz, table, beside_file=config is not None),
        label_column=label_column,
        task_column=task_column,
        feature_columns=column_names(feature_columns),
        test_table=test_table,
        test_share=test_share,
        raw_features=raw_features,
        download=download,
        protocol=protocol,
        overlap=overlap,
        num_tasks=tasks,
        model=model,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        memory_per_class=memory_per_class,
        eval_every=eval_every,
        device=device,
        precision=precision,
        channels_last=channels_last,
        threads=threads,
    )
    if config is not None:
        study = StudyConfig.from_yaml(config, **given)
    elif "methods" in given:
        study = StudyConfig(**given)
    else:
        raise ValueError(
            "`methods` is needed: names separated by commas (avalanche-emgd methods lists them), "
            "or a file with a study as `config`."
        )
    study.runs()[0].check_data()
    try:
        # Of a study that goes on, there may be nothing left to do.
        with importing_early(scheduler is None and not holds_files(output)):
            from ..experiments.study import run_study

            results = run_study(
                study,
                output,
                scheduler=scheduler,
                workers=workers,
                retry_failed=retry_failed,
                progress=not quiet,
            )
    except KeyboardInterrupt:
        stop("Interrupted. The same command continues where this one stopped.", INTERRUPTED)
    except ConnectionError as error:
        stop(f"{error} The same command continues where this one stopped.", 1)
    if not quiet:
        _say(f"Results: {output / 'results.csv'}")
        _say(f"Report: avalanche-emgd report {output}")
    failed = results[results["status"] == "failed"]
    if len(failed):
        _print_failed(failed.to_dict("records"), output)
        sys.exit(1)


@app.command()
@complains
def report(
    directory: Annotated[Path, typer.Argument(help="Output directory of a study.")],
    reference: Annotated[
        str | None, typer.Option(metavar="METHOD", help="To compare the others with.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the report. Default: that of the study.")
    ] = None,
    kind: Annotated[
        Literal["web", "latex"],
        typer.Option(
            "--format",
            help="web: Markdown, and a page for the browser; latex: tables and PDF figures for a "
            "paper, to take in with \\input.",
        ),
    ] = "web",
) -> None:
    """Write a report on a study: tables and pictures.

    Example: avalanche-emgd report runs/digits-study --reference avg
    """
    check_study(directory)
    from ..experiments.report import write_latex, write_report

    if kind == "latex":
        paths: tuple[Path, ...] = (write_latex(directory, output=output, reference=reference),)
    else:
        paths = write_report(directory, output=output, reference=reference)
    for path in paths:
        _say(f"Report: {path}")


def _entries(text: str | None, name: str, kind: Callable[[str], T]) -> list[T] | None:
    """Entries separated by commas."""
    if text is None:
        return None
    try:
        return [kind(entry.strip()) for entry in text.split(",")]
    except ValueError:
        raise ValueError(
            f"`{name}` must be whole numbers separated by commas, found {text!r}."
        ) from None


def _say(words: str) -> None:
    console.print(words, soft_wrap=True, markup=False, highlight=False)


def _print_failed(runs: list[dict[Any, Any]], output: Path) -> None:
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    errors.print(f"{len(runs)} failed; --retry-failed repeats them. Tracebacks: {output}/records")
    for run in runs[:_SHOWN]:
        streams = "".join(
            f", {words} {run[name]}"
            for name, words in (("label_set", "label set"), ("timeline", "time line"))
            if isinstance(run[name], int)
        )
        title = f"{run['method']}, {run['scenario']}{streams}, seed {run['seed']}"
        errors.print(f"  {title}: {run['error']}", markup=False)
    if len(runs) > _SHOWN:
        errors.print(f"  and {len(runs) - _SHOWN} more")
