"""The demonstration: EMGD beside the plain average on the embedded benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .config import RunConfig
from .pictures import draw_curves
from .run import Run, run

__all__ = ["run_demo"]


def run_demo(output: Path, *, seed: int = 0, overwrite: bool = False) -> tuple[list[Run], Path]:
    """Train both on the same streams and draw their curves side by side.

    :param output: directory, with one of its own for each run.
    :param seed: of both runs.
    :param overwrite: whether files of an earlier demonstration may be replaced.
    :return: the runs, and the path of the picture.
    :raises FileExistsError: if there are earlier runs that must not be overwritten.
    """
    emgd = RunConfig(benchmark="ps-digits", scenario="class", method="emgd-gmc", seed=seed)
    runs = [
        run(config, output / config.label, overwrite=overwrite)
        for config in (emgd, replace(emgd, method="avg"))
    ]
    picture = output / "curves.png"
    curves = {finished.config.label: finished.curves for finished in runs}
    draw_curves(runs[0].benchmark, curves).savefig(picture, dpi=150)
    return runs, picture
