"""Command that searches over settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..experiments.study_config import StudyConfig
from ..experiments.sweep.config import Metric, SweepConfig
from .app import app, console
from .errors import complains, stop
from .interrupts import status_of
from .options import QuietOption, SchedulerOption, WorkersOption, typed
from .settings import with_settings

_PLACES = ("data_root", "download", "protocol")
_CONTINUES = "The same command continues where this one stopped."


@app.command()
@complains
@with_settings(StudyConfig, only=lambda each: each.name in _PLACES)
def sweep(
    config: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="YAML file with a method, what to search, and the keys of a study; options take "
            "the place of what it says.",
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="Directory for the results, or with those of this sweep so far.")
    ],
    settings: dict[str, Any],
    trials: Annotated[
        int | None, typer.Option(help="Settings to try, in all. Default: the file's, or 20.")
    ] = None,
    metric: Annotated[
        Metric | None,
        typer.Option(
            help="What to maximise: its mean over the runs of a trial. Default: the file's, or "
            "A_ebar."
        ),
    ] = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    quiet: QuietOption = False,
) -> None:
    """Search the settings of a method with Optuna.

    pip install 'avalanche-emgd[sweep]' installs Optuna, too.

    The command writes sweep.yaml, optuna.db, a study for each trial in trials/, trials.csv,
    best.yaml and sweep.png. After an interruption, the same command continues. A larger number of
    trials adds some. The exit status is 1 if a trial has failed.

    Example: avalanche-emgd sweep --config sweep.yaml --output runs/sweep
    """
    chosen = SweepConfig.from_yaml(config, **typed(trials=trials, metric=metric), **settings)
    try:
        from ..experiments.sweep import run_sweep, sweep_table

        table = run_sweep(chosen, output, scheduler=scheduler, workers=workers, progress=not quiet)
    except KeyboardInterrupt as error:
        stop(
            "Interrupted. Finished runs are kept. The same command continues with the others.",
            status_of(error),
        )
    except ConnectionError as error:
        stop(f"{error} {_CONTINUES}", 1)
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        stop(f"Error: {error}", 2)
    done = table[table["status"] == "done"]
    failed = len(table) - len(done)
    if len(done) and not quiet:
        console.print(sweep_table(chosen, table))
        for words in (
            f"All trials: {output / 'trials.csv'}",
            f"Picture: {output / 'sweep.png'}",
            "On other seeds than those of the search: avalanche-emgd compare --config "
            f"{output / 'best.yaml'} --seeds 3,4,5,6,7 --output DIR",
        ):
            console.print(words, soft_wrap=True, markup=False, highlight=False)
    if failed:
        words = f"{failed} of {len(table)} trials failed; their runs: {output / 'trials'}"
        stop(words, 1)
