"""A search over settings: Optuna proposes them, and studies evaluate them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import Console

from ..._atomic import NotWrittenError
from ..._text_files import excerpt, first_line
from ..lock import DirectoryInUseError, locked
from ..output import check_directory
from ..records import last_line
from ..run import check_run
from ..study import check_runs, run_study
from .config import SWEEP, SweepConfig
from .results import METRICS, trials_table, write_picture, write_trials

if TYPE_CHECKING:
    import optuna

__all__ = ["STORAGE", "TRIALS", "run_sweep"]

STORAGE = "optuna.db"
"""Optuna's own storage in the directory of a sweep, an SQLite file."""

TRIALS = "trials"
"""Folder of the studies of the trials in the directory of a sweep."""

_NAME = "sweep"  # name of Optuna's study in its storage


def run_sweep(
    sweep: SweepConfig,
    output: str | Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Do the trials of a search that have not been done yet.

    Optuna's tree-structured Parzen estimator proposes the settings of each trial from the results
    of the earlier ones. A trial is a study, in ``trials/NUMBER``. Writes ``sweep.yaml``, Optuna's
    storage ``optuna.db``, after each trial ``trials.csv`` and ``best.yaml`` (a study of the best
    settings), and at the end ``sweep.png``.

    After an interruption, another call continues, with the same trials as without the interruption.
    A larger ``sweep.trials`` adds some. A trial with a failed run has failed, and the search
    continues. Like :func:`~avalanche_emgd.experiments.run_study`, this function needs the guard
    ``if __name__ == "__main__":`` in a script.

    :param sweep: configuration of the search.
    :param output: directory, which is made if it does not exist.
    :param scheduler: address of a Dask scheduler whose workers do the runs of a trial; processes of
        this machine if ``None``.
    :param workers: number of processes of this machine, ≥ 1; one for each core if ``None``.
    :param progress: whether to print a line for each trial.
    :return: table of the trials in their order: ``trial``, from 0; ``status``, ``"done"`` or
        ``"failed"``; the metric, a fraction, missing where the trial has failed; and the searched
        settings by their names.
    :raises ModuleNotFoundError: if Optuna is not installed.
    :raises DirectoryInUseError: if another command writes into the directory.
    :raises FileExistsError: if the directory has other files.
    :raises FileNotFoundError: if the data are missing.
    :raises ValueError: if a setting is wrong at an end of its range, or the directory holds another
        search; before anything is written.
    :raises ConnectionError: if the scheduler is lost.
    """
    _require_optuna()
    output = Path(output)
    _check_output(sweep, output)
    _check_ends(sweep)
    with locked(output):
        _check_output(sweep, output)  # another command may just have ended
        return _continue(sweep, output, scheduler, workers, progress)


def _continue(
    sweep: SweepConfig, output: Path, scheduler: str | None, workers: int | None, progress: bool
) -> pd.DataFrame:
    """Do the trials that have not been done yet, in a directory that is locked."""
    sweep.to_yaml(output / SWEEP)
    console = Console(quiet=not progress)
    with _storage(output / STORAGE) as study:
        while True:
            number, values = _next_trial(study, sweep)
            if number is None:
                break
            value, error = _try(sweep, values, output, number, scheduler, workers)
            _tell(study, number, value)
            table = trials_table(study, sweep)
            write_trials(sweep, table, output)
            console.print(_line(sweep, table, number, error), highlight=False, soft_wrap=True)
        table = trials_table(study, sweep)
        write_trials(sweep, table, output)
        write_picture(sweep, table, output)
    return table


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise ModuleNotFoundError(
            "A sweep needs Optuna, which is not installed: pip install 'avalanche-emgd[sweep]'.",
            name="optuna",
        ) from None


def _check_output(sweep: SweepConfig, output: Path) -> None:
    if not check_directory(output):
        return
    if not (output / SWEEP).is_file():
        raise FileExistsError(
            f"`output` {str(output)!r} is not empty, and holds no sweep: name another directory."
        )
    sweep.check_same(SweepConfig.from_yaml(output / SWEEP))


def _check_ends(sweep: SweepConfig) -> None:
    """Check the ends of all ranges, and the streams, so that errors precede the trials."""
    space = sweep.space
    lowest = {name: each.ends[0] for name, each in space.items()}
    check_runs(sweep.study_of(lowest).runs(), download=bool(sweep.study.get("download")))
    for name, each in space.items():
        for end in each.ends:
            _check_end(sweep, {**lowest, name: end}, name)


def _check_end(sweep: SweepConfig, values: dict[str, Any], name: str) -> None:
    try:
        check_run(sweep.study_of(values).runs()[0])
    except ValueError as error:
        raise ValueError(
            f"`search` of {name!r} reaches {excerpt(values[name])}: {first_line(error)}"
        ) from None


@contextmanager
def _storage(path: Path) -> Iterator[optuna.Study]:
    """Open Optuna's study in a file, without Optuna's messages."""
    import optuna
    from sqlalchemy.engine import URL
    from sqlalchemy.exc import SQLAlchemyError

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = None
    try:
        # A URL from parts escapes special characters of the path.
        url = URL.create("sqlite", database=str(path.resolve()))
        storage = optuna.storages.RDBStorage(url.render_as_string(hide_password=False))
        yield optuna.create_study(
            storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True
        )
    except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        raise ValueError(
            f"{str(path)!r}, Optuna's storage in `output`, cannot be used: "
            f"{first_line(error)} Name another output directory."
        ) from None
    finally:
        if storage is not None:
            storage.remove_session()
        optuna.logging.set_verbosity(verbosity)


def _next_trial(study: optuna.Study, sweep: SweepConfig) -> tuple[int | None, dict[str, Any]]:
    """Continue an interrupted trial, or draw a new one.

    :return: number and settings of the trial; ``None`` if all trials have ended.
    """
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    trials, space = study.get_trials(deepcopy=False), sweep.space
    for trial in trials:
        if trial.state == TrialState.RUNNING and set(trial.params) == set(space):
            return trial.number, {n: each.value(trial.params[n]) for n, each in space.items()}
        if trial.state == TrialState.RUNNING:  # interrupted during the draw of its settings
            study.tell(trial.number, state=TrialState.FAIL)
    if len(trials) >= sweep.trials:
        return None, {}
    # A new seed for each trial makes a continued search draw the same settings.
    entropy = np.random.SeedSequence([sweep.sampler_seed, len(trials)])
    study.sampler = TPESampler(seed=int(entropy.generate_state(1)[0]))
    asked = study.ask({name: each.distribution() for name, each in space.items()})
    return asked.number, {name: each.value(asked.params[name]) for name, each in space.items()}


def _try(
    sweep: SweepConfig,
    values: dict[str, Any],
    output: Path,
    number: int,
    scheduler: str | None,
    workers: int | None,
) -> tuple[float | None, str | None]:
    """Return the mean of the metric over the runs of a trial, or the reason of a failure."""
    try:
        results = run_study(
            sweep.study_of(values),
            output / TRIALS / f"{number:04}",
            scheduler=scheduler,
            workers=workers,
            progress=False,
        )
    except (NotWrittenError, DirectoryInUseError):  # not a matter of the settings
        raise
    except ValueError as error:  # raised for settings that contradict each other
        return None, first_line(error)
    failed = results[results["status"] == "failed"]
    if len(failed):
        return None, last_line(str(failed["error"].iloc[0]))
    return float(results[sweep.metric].mean()), None


def _tell(study: optuna.Study, number: int, value: float | None) -> None:
    from optuna.trial import TrialState

    if value is None:
        study.tell(number, state=TrialState.FAIL)
    else:
        study.tell(number, value)


def _line(sweep: SweepConfig, table: pd.DataFrame, number: int, error: str | None) -> str:
    ended = f"{len(table)} of {sweep.trials}"
    if error is not None:
        return f"{ended}: trial {number} failed: {excerpt(error, 300)[1:-1]}"
    values = table.set_index("trial")[sweep.metric]
    best = values.idxmax()
    return (
        f"{ended}: trial {number} has {METRICS[sweep.metric]} {100 * values[number]:.1f} %, best "
        f"so far {100 * values[best]:.1f} % (trial {best})"
    )
