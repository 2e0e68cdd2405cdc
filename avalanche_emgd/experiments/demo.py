"""The demonstration: four methods on the embedded benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean

from .config import RunConfig
from .finished_run import WRITTEN, Run
from .output import check_free, results_in
from .picture_files import save_picture
from .pictures import draw_curves
from .run import run
from .tables import signed

__all__ = ["run_demo", "what_it_shows"]

_METHODS = ("emgd++", "emgd-gmc", "der++", "avg")
_PICTURE = "curves.png"
_SEEDS = 3
_MEMORY_PER_CLASS, _OVERLAP = 1, 0.3  # so that there is something to forget


def run_demo(
    output: Path,
    *,
    seed: int = 3,
    threads: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> tuple[list[Run], Path]:
    """Train all methods with three seeds, and draw their curves of the first one side by side.

    :param output: directory, which gets a directory for each method with one for each seed.
    :param seed: first of three successive seeds.
    :param threads: threads of the CPU, see :class:`RunConfig`.
    :param overwrite: whether files of an earlier demonstration may be replaced.
    :param progress: whether to show progress bars.
    :return: the runs, and the path of the picture.
    :raises FileExistsError: if there are earlier runs and ``overwrite`` is false.
    """
    configs = [
        RunConfig(
            benchmark="ps-digits",
            scenario="class",
            method=method,
            seed=each,
            threads=threads,
            overlap=_OVERLAP,
            memory_per_class=_MEMORY_PER_CLASS,
        )
        for each in range(seed, seed + _SEEDS)
        for method in _METHODS
    ]
    places = [output / config.label / f"seed-{config.seed}" for config in configs]
    with ExitStack() as stack:
        check_free(output, overwrite=overwrite)
        stack.enter_context(results_in(output, [_PICTURE], overwrite=True))
        for place in places:  # a failed run removes the results of the other ones, too
            stack.enter_context(results_in(place, WRITTEN, overwrite=overwrite))
        runs = [
            run(config, place, overwrite=True, progress=progress)
            for config, place in zip(configs, places, strict=True)
        ]
        curves = {done.config.label: done.curves for done in runs[: len(_METHODS)]}
        save_picture(draw_curves(runs[0].benchmark, curves), output / _PICTURE)
    return runs, output / _PICTURE


def what_it_shows(runs: Sequence[Run]) -> str:
    """Say in one line which method ends highest, and beside what.

    :param runs: runs of at least two methods.
    """
    labels = list(dict.fromkeys(run.config.label for run in runs))
    of = {name: [r.result for r in runs if r.config.label == name] for name in labels}
    final = {name: fmean(result.A_ebar for result in of[name]) for name in labels}
    change = {name: fmean(result.F_ebar for result in of[name]) for name in labels}
    best, worst = max(labels, key=final.__getitem__), min(labels, key=final.__getitem__)
    return (
        f"At the very end the mean accuracy of the tasks is {100 * final[best]:.0f} % with {best} "
        f"and {100 * final[worst]:.0f} % with {worst}. Since each task's own end, it changed by "
        f"{signed(change[best])} and {signed(change[worst])} points."
    )
