"""Parallel runs with Dask, on processes of this machine or an existing cluster."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dask
from distributed import Client, KilledWorker, LocalCluster, as_completed
from distributed.utils import get_mp_context

from ..training.plugins import CheckpointPlugin
from ..training.state import load_checkpoint
from .config import RunConfig
from .data_sharing import SuccessiveBenchmarks
from .finished_run import Run
from .records import Record, done_record, failed_record
from .run import execute
from .worker_processes import START_METHOD, interrupts_wait, preload

__all__ = ["Checkpoints", "connect", "finish", "perform"]

Checkpoints = tuple[str, int]
"""Path of the file with a run's checkpoint, and the number of ticks between two checkpoints."""

# A process gets its next run only after it has finished the previous one. If the process dies, only
# one run can be the cause. Such a run is repeated twice.
_SETTINGS = {
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": 2,
    "distributed.worker.multiprocessing-method": START_METHOD,
}
_PATIENCE = "10s"
# Runs share torch's global state, so that a worker with several threads does one at a time.
_alone = threading.Lock()
_benchmarks = SuccessiveBenchmarks()  # of this process


@contextmanager
def connect(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Context with workers that do runs.

    :param scheduler: address of a Dask scheduler; a cluster of processes of this machine, which
        ends with the context, if ``None``.
    :param workers: largest number of processes of that cluster, ≥ 1.
    :return: client that is connected to the scheduler.
    :raises ValueError: if the scheduler cannot be reached.
    """
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(_SETTINGS))
        get_mp_context()  # Dask's configuration, which sets modules of its own at first
        preload()
        if scheduler is None:
            with interrupts_wait():
                address = stack.enter_context(
                    LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        memory_limit=0,
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.CRITICAL,
                    )
                )
        else:
            address = scheduler
        logger = logging.getLogger("distributed.client")
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)  # exceptions have the messages
        try:
            client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"`scheduler` {scheduler!r} cannot be reached: {error}. Start one with `dask "
                "scheduler` and give the address that it prints, such as tcp://192.0.2.1:8786."
            ) from None
        yield stack.enter_context(client)


def finish(
    client: Client,
    configs: Sequence[RunConfig],
    checkpoints: Sequence[Checkpoints | None] | None = None,
) -> Generator[tuple[int, Record], None, None]:
    """Do runs, and yield the record of each as soon as it is finished.

    Other workers repeat the runs of a worker that dies. A run during which three workers have died
    has failed.

    :param client: client that :func:`connect` returns.
    :param configs: configurations of the runs.
    :param checkpoints: file of the checkpoints of each run; no checkpoints if omitted.
    :return: pairs of an index into ``configs`` and a record.
    :raises ConnectionError: if the scheduler is lost.
    """
    files = [None] * len(configs) if checkpoints is None else list(checkpoints)
    futures = client.map(perform, configs, files, path=list(sys.path), pure=False)
    indices = {future.key: index for index, future in enumerate(futures)}
    finished = as_completed(futures, loop=client.loop)
    del futures  # from here on, a result is released after it is yielded
    for future in finished:
        index = indices[future.key]
        try:
            record = future.result()
        except CancelledError as error:
            raise ConnectionError("The connection to the scheduler is lost.") from error
        except KilledWorker as error:
            record = failed_record(
                configs[index],
                f"{error.allowed_failures + 1} processes died during this run, one after the "
                "other: out of memory, killed, or crashed.",
            )
        except Exception:  # errors of Dask; those of the run are in its record
            record = failed_record(configs[index], traceback.format_exc())
        yield index, record


def perform(
    config: RunConfig, checkpoints: Checkpoints | None = None, path: Sequence[str] = ()
) -> Record:
    """Do a run, or its remaining ticks after the last checkpoint.

    :param config: configuration of the run.
    :param checkpoints: file of its checkpoints.
    :param path: folders with modules, beside those of the process.
    :return: record of the run, even if it fails.
    """
    with _alone:
        sys.path.extend(folder for folder in path if folder not in sys.path)
        try:
            return done_record(config, _execute(config, checkpoints))
        except (Exception, SystemExit):
            return failed_record(config, traceback.format_exc())


def _execute(config: RunConfig, checkpoints: Checkpoints | None) -> Run:
    benchmark = _benchmarks.make(config)
    if checkpoints is None:
        return execute(config, benchmark)
    path, every = checkpoints
    plugin = CheckpointPlugin(path, every=every, at_end=False)
    state = load_checkpoint(path) if Path(path).is_file() else None
    return execute(config, benchmark, checkpoint=plugin, state=state)
