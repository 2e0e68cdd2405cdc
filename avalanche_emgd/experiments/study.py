"""A study: many runs, done by Dask, with a record of each on disk."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
from dask.system import CPU_COUNT

from .config import RunConfig
from .data_sharing import SuccessiveBenchmarks
from .output import holds_files, make_directory
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
from .scheduling import connect, finish
from .study_config import STUDY, StudyConfig
from .study_progress import StudyProgress
from .study_resume import check_same_study
from .worker_processes import importing_early

__all__ = ["check_runs", "run_study"]

_WRITTEN = {RECORDS, "results.csv", "results.parquet", "report", "report.md", "report.html"}
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
    """Do the runs of a study that are not on record yet.

    Writes ``study.yaml``, a file in ``records/`` for each run as soon as it is finished, and the
    table of all records in ``results.csv`` and ``results.parquet``. Interrupted at any time, it
    goes on where it was when called again: only runs that were in work are lost. An earlier study
    in the directory may be extended: by methods, scenarios, seeds, label sets and time lines.

    A run that fails is on record with its traceback, and the others go on. The same study gives the
    same figures, whatever the number of workers. A script that calls this needs the usual guard of
    Python's ``multiprocessing``: ``if __name__ == "__main__":``.

    :param study: what to run.
    :param output: directory, made if need be.
    :param scheduler: address of a Dask scheduler whose workers are to do the runs, as
        ``tcp://192.0.2.1:8786``; they need this package, the modules of your methods and the data,
        at the same paths as here. Processes of this machine if ``None``.
    :param workers: how many processes of this machine, ≥ 1; one for each core if ``None``.
    :param retry_failed: whether to repeat runs that are on record as failed.
    :param progress: whether to show it.
    :return: table of the runs of this study, see
        :func:`~avalanche_emgd.experiments.records.results_table`.
    :raises FileExistsError: if the directory holds something else.
    :raises FileNotFoundError: if the data are not there.
    :raises ValueError: if an argument or the protocol is wrong, or records in the directory are
        of runs with other settings; as all errors but the next, before anything is written.
    :raises ConnectionError: if the scheduler is lost.
    """
    output = Path(output)
    _check_workers(scheduler, workers)
    runs = {record_key(config): config for config in study.runs()}
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
        with importing_early(bool(missing) and scheduler is None):
            check_runs(missing.values(), download=study.download)
        if missing:
            _do(study, missing, records, output, (scheduler, workers), bar)
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


def _earlier_records(
    study: StudyConfig, runs: Mapping[str, RunConfig], output: Path
) -> dict[str, Record]:
    """Short records that are in the directory already."""
    if holds_files(output):
        names = {path.name for path in output.iterdir()}
        # Of a study that was stopped before anything was finished there are folders or drafts.
        foreign = [name for name in names - _WRITTEN if not name.startswith(f".{STUDY}.")]
        if STUDY not in names and foreign:
            raise FileExistsError(
                f"`output` {str(output)!r} is not empty, and holds no study: name another "
                "directory."
            )
    elif output.exists() and not output.is_dir():
        raise ValueError(f"`output` {str(output)!r} is a file: name a directory.")
    records = read_records(output)
    check_same_study(study, runs, records)
    return {key: _short(record) for key, record in records.items()}


def check_runs(configs: Iterable[RunConfig], *, download: bool) -> None:
    """Make each method once and each benchmark once, so that errors come before the runs."""
    methods, streams, benchmarks = set(), set(), SuccessiveBenchmarks()
    for config in configs:
        if config.label not in methods:
            check_run(config)
            methods.add(config.label)
        if (config.label_set, config.timeline) not in streams:
            benchmarks.make(replace(config, download=download))
            streams.add((config.label_set, config.timeline))


def _prepare(study: StudyConfig, output: Path) -> None:
    """Make the directory, and say in it what study it holds."""
    # The study first: with records alone nothing would say what they are of.
    make_directory(output)
    path = output / STUDY
    try:
        unchanged = StudyConfig.from_yaml(path) == study
    except ValueError:  # not there, or of a study whose methods are no longer to be had
        unchanged = False
    if not unchanged:  # it may be the user's own, with remarks
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
    """Do runs, write their records and add them to those there are."""
    scheduler, workers = where
    keys = list(missing)
    bar.stage("starting workers" if scheduler is None else "connecting")
    processes = min(len(keys), workers or CPU_COUNT)
    with connect(scheduler, processes) as client:
        _prepare(study, output)
        bar.start(f"{processes} processes" if scheduler is None else scheduler)
        written = time.monotonic()
        try:
            with closing(finish(client, list(missing.values()))) as finished:
                for index, record in finished:
                    write_record(output, keys[index], record)
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


def _short(record: Record) -> Record:
    """Leave out the long fields of a record: there may be thousands of records."""
    return {key: value for key, value in record.items() if key not in ("tasks", "trace", "config")}
