"""The demonstration: EMGD and the plain average on the embedded benchmark."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from .config import RunConfig
from .output import check_free, results_in
from .pictures import draw_curves
from .run import WRITTEN, Run, run

__all__ = ["run_demo"]

_PICTURE = "curves.png"


def run_demo(
    output: Path,
    *,
    seed: int = 0,
    threads: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> tuple[list[Run], Path]:
    """Train both methods on the same streams, and draw their curves side by side.

    :param output: directory, which gets a directory for each run.
    :param seed: seed of both runs.
    :param threads: threads of the CPU, see :class:`RunConfig`.
    :param overwrite: whether files of an earlier demonstration may be replaced.
    :param progress: whether to show progress bars.
    :return: the runs, and the path of the picture.
    :raises FileExistsError: if there are earlier runs and ``overwrite`` is false.
    """
    emgd = RunConfig(
        benchmark="ps-digits", scenario="class", method="emgd-gmc", seed=seed, threads=threads
    )
    configs = (emgd, replace(emgd, method="avg"))
    labels = [config.label for config in configs]
    with ExitStack() as stack:
        for label in labels:
            check_free(output / label, overwrite=overwrite)
        stack.enter_context(results_in(output, [_PICTURE], overwrite=True))
        for label in labels:  # a failed run removes the results of the other one, too
            stack.enter_context(results_in(output / label, WRITTEN, overwrite=overwrite))
        runs = [
            run(config, output / config.label, overwrite=True, progress=progress)
            for config in configs
        ]
        curves = {finished.config.label: finished.curves for finished in runs}
        draw_curves(runs[0].benchmark, curves).savefig(output / _PICTURE, dpi=150)
    return runs, output / _PICTURE
