"""Kills of runs at random moments: a resumed run must equal one that was never killed.

``python -m benchmarks.faults.kill`` kills EMGD 50 times and every other method 3 times, and prints
the counts. Each run writes a checkpoint after every tick, so that many kills fall into the writing
of one; some are aimed at it. Results are compared bit for bit: weights, figures of merit, curves
and traces.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from avalanche_emgd import CheckpointPlugin, load_checkpoint
from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.records import done_record
from avalanche_emgd.experiments.run import execute
from avalanche_emgd.training.methods import METHODS

COSTS = ("seconds", "ticks_per_second", "peak_memory_mb", "config")
PATIENCE = 300.0  # seconds for one run


@dataclass
class Count:
    """Outcome of the runs of one method.

    :param kills: processes that were killed.
    :param writing: runs among them that left a half-written checkpoint.
    :param resumed: processes that continued from a checkpoint.
    :param equal: whether the results equal those of a run that was never killed.
    """

    kills: int = 0
    writing: int = 0
    resumed: int = 0
    equal: bool = False


def small_run(method: str, settings: dict | None = None) -> RunConfig:
    """Make the configuration of a run of about 170 ticks."""
    return RunConfig(
        method=method,
        settings=settings or {},
        num_tasks=3,
        batch_size=16,
        memory_per_class=3,
        eval_every=20,
        epochs=2,
    )


def killed(config: RunConfig, kills: int, draw: random.Random, folder: Path) -> Count:
    """Kill a run at random moments, resume it each time, and compare its results.

    A tenth of the kills comes at any time after the start of a process. The others come after its
    first checkpoint, and every other of these in the writing of one.

    :param config: configuration of the run.
    :param kills: number of kills.
    :param draw: source of the moments.
    :param folder: empty folder.
    """
    count, started = Count(), time.perf_counter()
    _wait(_fork(config, None, folder / "whole.json"), PATIENCE)
    expected, usual = (folder / "whole.json").read_text(), time.perf_counter() - started
    path, results = folder / "run.pt", folder / "results.json"
    while count.kills < kills and not results.exists():
        count.resumed += path.exists()
        before, child = _changed(path), _fork(config, path, results)
        if draw.random() < 0.1:
            _wait(child, draw.uniform(0.0, 1.0) * usual)
        else:
            _wait(child, usual, lambda old=before: _changed(path) != old)
            _wait(child, draw.expovariate(2.0 * kills) * usual)
            if count.kills % 2:
                _wait(child, usual, lambda: any(folder.glob(".run.pt.*")))
        if _kill(child):
            count.kills += 1
            count.writing += any(folder.glob(f".run.pt.{child}"))
    if not results.exists():
        count.resumed += path.exists()
        _wait(_fork(config, path, results), PATIENCE)
    count.equal = results.read_text() == expected
    return count


def _changed(path: Path) -> int:
    """Return the time of the last change of a file; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _fork(config: RunConfig, path: Path | None, results: Path) -> int:
    """Start a process that does the run, or its remaining ticks; return its number."""
    child = os.fork()
    if child:
        return child
    try:
        warnings.simplefilter("ignore")
        checkpoint = None if path is None else CheckpointPlugin(path, every=1)
        state = load_checkpoint(path) if path is not None and path.is_file() else None
        run = execute(config, make_benchmark(config), checkpoint=checkpoint, state=state)
        record = {k: v for k, v in done_record(config, run).items() if k not in COSTS}
        record["weights"] = _digest(run.model)
        draft = results.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(record))
        draft.replace(results)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _digest(model: torch.nn.Module | None) -> str:
    digest = hashlib.sha256()
    for tensor in [] if model is None else model.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


_ENDED: dict[int, int] = {}


def _has_ended(child: int) -> bool:
    if child not in _ENDED:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            _ENDED[child] = status
    return child in _ENDED


def _wait(child: int, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    """Wait for the end of a process, for some time, or for another event that comes first."""
    end = time.monotonic() + seconds
    while not _has_ended(child) and time.monotonic() < end and not until():
        time.sleep(0.0001)
    if _has_ended(child) and os.waitstatus_to_exitcode(_ENDED[child]) == 1:
        raise RuntimeError("a run has failed; its traceback stands above")
    if seconds == PATIENCE and not _has_ended(child):
        raise RuntimeError("a run takes too long")


def _kill(child: int) -> bool:
    """Kill a process; false if it had ended."""
    if _has_ended(child):
        return False
    os.kill(child, signal.SIGKILL)
    _ENDED[child] = os.waitpid(child, 0)[1]
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emgd", type=int, default=50, help="kills of EMGD, in each variant")
    parser.add_argument("--each", type=int, default=3, help="kills of every other method")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), help="all by default")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    runs = {name: small_run(name) for name in arguments.methods}
    for name in ("emgd-gmc", "emgd++"):
        if name in runs:
            editing = {"memory_editing": "distance"}
            runs[f"{name}, edited"] = small_run(name, editing)
    total, draw = Count(equal=True), random.Random(arguments.seed)
    print(f"{'method':<20} kills  in writing  resumed  equal")
    for name, config in runs.items():
        kills = arguments.emgd if name.startswith("emgd") else arguments.each
        with tempfile.TemporaryDirectory() as folder:
            found = killed(config, kills, draw, Path(folder))
        print(_row(name, found), flush=True)
        total.kills += found.kills
        total.writing += found.writing
        total.resumed += found.resumed
        total.equal &= found.equal
    print(_row("all", total))
    sys.exit(0 if total.equal else 1)


def _row(name: str, count: Count) -> str:
    equal = "yes" if count.equal else "NO"
    return f"{name:<20} {count.kills:>5}  {count.writing:>10}  {count.resumed:>7}  {equal:>5}"


if __name__ == "__main__":
    main()
