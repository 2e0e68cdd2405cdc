"""Commands about studies: many runs, and the report on them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from ..experiments.output import holds_files
from ..experiments.study_config import StudyConfig
from ..experiments.study_directory import check_study
from ..experiments.worker_processes import importing_early
from .app import app, console
from .errors import complains, stop
from .interrupts import status_of
from .options import QuietOption, SchedulerOption, WorkersOption
from .settings import with_settings

_SHOWN = 10  # failed runs at most


@app.command()
@complains
@with_settings(StudyConfig)
def compare(
    output: Annotated[
        Path, typer.Option(help="Directory for the results, or with those of this study so far.")
    ],
    settings: dict[str, Any],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="YAML file with a study, such as the study.yaml of an earlier one; options take "
            "the place of what it says.",
        ),
    ] = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Repeat the runs that have failed.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Run every method in every scenario with every seed.

    Each label set and each time line has runs of its own, too.

    The command writes study.yaml, a file in records/ for each finished run, results.csv and
    results.parquet. After an interruption, the same command continues. With more methods, seeds and
    so on, it does the missing runs. The exit status is 1 if a run has failed.

    Example: avalanche-emgd compare --benchmark ps-digits --methods emgd-gmc,avg --seeds 0,1,2
    --scenarios task,class --output runs/digits-study
    """
    if config is not None:
        study = StudyConfig.from_yaml(config, **settings)
    elif "methods" in settings:
        study = StudyConfig(**settings)
    else:
        raise ValueError(
            "`methods` is needed: names separated by commas (avalanche-emgd methods lists them), "
            "or a file with a study as `config`."
        )
    replace(study.runs()[0], download=study.download).check_data()
    try:
        # A continued study may have no runs left.
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
    except KeyboardInterrupt as error:
        stop(
            "Interrupted. Finished runs are kept. The same command continues with the others.",
            status_of(error),
        )
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
        str | None, typer.Option(metavar="METHOD", help="Method to compare the others with.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the report. Default: that of the study.")
    ] = None,
    kind: Annotated[
        Literal["web", "latex"],
        typer.Option(
            "--format",
            help="web: Markdown, and a page for the browser; latex: tables and PDF figures for "
            "\\input in a paper.",
        ),
    ] = "web",
) -> None:
    """Write a report on a study: tables and pictures.

    Writes report.md, report.html and the pictures in report/. With --format latex it writes
    report.tex and PDF figures in report/.

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
