"""A study: many runs with Dask, each with a record on disk."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
from dask.system import CPU_COUNT

from .config import RunConfig
from .data_sharing import SuccessiveBenchmarks
from .directories import make_directory
from .lock import is_of_lock, locked
from .output import check_directory
from .records import (
    RECORDS,
    Record,
    read_records,
    record_key,
    results_table,
    write_record,
    write_results,
)
from .run import check_run
from .scheduling import Checkpoints, connect, finish
from .study_config import STUDY, StudyConfig
from .study_directory import CHECKPOINTS
from .study_progress import StudyProgress
from .study_resume import check_same_study
from .worker_processes import importing_early

__all__ = ["check_runs", "run_study"]

_WRITTEN = {
    RECORDS,
    CHECKPOINTS,
    "results.csv",
    "results.parquet",
    "report",
    "report.md",
    "report.html",
}
_PERIOD = 30.0  # seconds between two tables of results


def run_study(
    study: StudyConfig,
    output: str | Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    retry_failed: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Do the runs of a study that have no record yet.

    Writes ``study.yaml``, a file in ``records/`` for each run as soon as it is finished, and the
    table of all records in ``results.csv`` and ``results.parquet``. After an interruption, another
    call continues; runs in work begin anew, or continue from their checkpoints in ``checkpoints/``
    if ``study.checkpoint_every`` is set. A call may extend an earlier
    study in the directory by methods, scenarios, seeds, label sets and time lines.

    The record of a failed run has its traceback, and the other runs continue. The figures do not
    depend on the number of workers. A script that calls this function needs the usual guard of
    Python's ``multiprocessing``: ``if __name__ == "__main__":``.

    :param study: configuration of the study.
    :param output: directory, which is made if it does not exist.
    :param scheduler: address of a Dask scheduler whose workers do the runs, such as
        ``tcp://192.0.2.1:8786``; processes of this machine if ``None``. The workers need this
        package, the modules of user-defined methods and the data, at the same paths as here.
    :param workers: number of processes of this machine, ≥ 1; one for each core if ``None``.
    :param retry_failed: whether to repeat failed runs.
    :param progress: whether to show a progress bar.
    :return: table of the runs of this study, see
        :func:`~avalanche_emgd.experiments.records.results_table`.
    :raises DirectoryInUseError: if another command writes into the directory.
    :raises FileExistsError: if the directory has other files.
    :raises FileNotFoundError: if the data are missing.
    :raises ValueError: if an argument or the protocol is wrong, or records in the directory are of
        runs with other settings. This and the errors above come before anything is written.
    :raises ConnectionError: if the scheduler is lost.
    """
    output = Path(output)
    _check_workers(scheduler, workers)
    runs = {record_key(config): config for config in study.runs()}
    _check_output(output)
    with locked(output):
        _check_output(output)
        return _continue(study, runs, output, (scheduler, workers), retry_failed, progress)


def _continue(
    study: StudyConfig,
    runs: Mapping[str, RunConfig],
    output: Path,
    where: tuple[str | None, int | None],
    retry_failed: bool,
    progress: bool,
) -> pd.DataFrame:
    """Do the runs of a study that have no record yet, in a directory that is locked."""
    records = _earlier_records(study, runs, output)
    ended = {
        key: records[key]["status"]
        for key in runs
        if key in records and not (retry_failed and records[key]["status"] == "failed")
    }
    missing = {key: config for key, config in runs.items() if key not in ended}
    statuses = list(ended.values())
    with StudyProgress(
        len(runs), statuses.count("done"), statuses.count("failed"), show=progress
    ) as bar:
        bar.stage("checking")
        with importing_early(bool(missing) and where[0] is None):
            check_runs(missing.values(), download=study.download)
        if missing:
            _do(study, missing, records, output, where, bar)
        else:
            _prepare(study, output)
            write_results(output, records.values())
    return results_table(records[key] for key in runs)


def _check_workers(scheduler: str | None, workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise ValueError(f"`workers` must be at least 1, found {workers}.")
    if workers is not None and scheduler is not None:
        raise ValueError(
            "`workers` are processes of this machine, but those of a `scheduler` do the runs: give "
            "one of the two."
        )


def _check_output(output: Path) -> None:
    """Check that a directory is free, or holds a study that no other command continues."""
    if check_directory(output):
        names = {path.name for path in output.iterdir() if not is_of_lock(path.name)}
        # A study that was stopped before its first record leaves folders or drafts.
        foreign = [name for name in names - _WRITTEN if not name.startswith(f".{STUDY}.")]
        if STUDY not in names and foreign:
            raise FileExistsError(
                f"`output` {str(output)!r} is not empty, and holds no study: name another "
                "directory."
            )


def _earlier_records(
    study: StudyConfig, runs: Mapping[str, RunConfig], output: Path
) -> dict[str, Record]:
    """Read the records that the directory has already, without their long fields."""
    records = read_records(output)
    check_same_study(study, runs, records)
    return {key: _short(record) for key, record in records.items()}


def check_runs(configs: Iterable[RunConfig], *, download: bool) -> None:
    """Make each method once and each benchmark once, so that errors precede the runs."""
    methods, streams, benchmarks = set(), set(), SuccessiveBenchmarks()
    for config in configs:
        if config.label not in methods:
            check_run(config)
            methods.add(config.label)
        if (config.label_set, config.timeline) not in streams:
            benchmarks.make(replace(config, download=download))
            streams.add((config.label_set, config.timeline))


def _prepare(study: StudyConfig, output: Path) -> None:
    """Make the directory, and write ``study.yaml`` into it."""
    # `study.yaml` comes first, because it identifies the records.
    make_directory(output)
    path = output / STUDY
    try:
        unchanged = StudyConfig.from_yaml(path) == study
    except ValueError:  # missing, or of a study whose methods cannot be imported now
        unchanged = False
    if not unchanged:  # an unchanged file keeps the user's comments
        study.to_yaml(path)
    make_directory(output / RECORDS)


def _do(
    study: StudyConfig,
    missing: Mapping[str, RunConfig],
    records: dict[str, Record],
    output: Path,
    where: tuple[str | None, int | None],
    bar: StudyProgress,
) -> None:
    """Do runs, write their records, and add them to the given records."""
    scheduler, workers = where
    keys = list(missing)
    bar.stage("starting workers" if scheduler is None else "connecting")
    processes = min(len(keys), workers or CPU_COUNT)
    with connect(scheduler, processes) as client:
        _prepare(study, output)
        bar.start(f"{processes} processes" if scheduler is None else scheduler)
        written = time.monotonic()
        try:
            with closing(
                finish(client, list(missing.values()), _checkpoints(study, keys, output))
            ) as finished:
                for index, record in finished:
                    write_record(output, keys[index], record)
                    _checkpoint_of(keys[index], output).unlink(missing_ok=True)
                    records[keys[index]] = _short(record)
                    bar.finished(failed=record["status"] == "failed")
                    if time.monotonic() - written > _PERIOD:
                        write_results(output, records.values())
                        bar.note()
                        written = time.monotonic()
        except KeyboardInterrupt:
            bar.stage("stopping")
            raise
        finally:
            write_results(output, records.values())
            bar.note()


def _checkpoints(
    study: StudyConfig, keys: Sequence[str], output: Path
) -> Sequence[Checkpoints | None]:
    """Return for each run the file of its checkpoints, which its record replaces."""
    if study.checkpoint_every is None:
        return [None] * len(keys)
    make_directory(output / CHECKPOINTS)
    every = study.checkpoint_every
    return [(str(_checkpoint_of(key, output).absolute()), every) for key in keys]


def _checkpoint_of(key: str, output: Path) -> Path:
    return output / CHECKPOINTS / f"{key}.pt"


def _short(record: Record) -> Record:
    """Return a record without its long fields: there may be thousands of records."""
    return {key: value for key, value in record.items() if key not in ("tasks", "trace", "config")}
