"""Commands about single runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .. import experiments
from ..distributed.launcher import PlacementName, rank_of_launcher
from ..experiments.config import RunConfig
from ..experiments.output import check_free
from ..experiments.resuming import CHECKPOINT, config_to_resume
from ..experiments.run_file import load_config
from ..experiments.timelines import check_picture, choose_timeline, save_timeline
from ..training.methods import find_method
from ..training.stopping import TrainingStopped
from .app import app, console
from .editing import editing_settings
from .errors import complains, stop
from .interrupts import status_of
from .options import OverwriteOption, QuietOption
from .settings import with_settings


@app.command()
@complains
@with_settings(RunConfig)
def train(
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    settings: dict[str, Any],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="config.json of an earlier run, to repeat it; options replace its settings.",
        ),
    ] = None,
    edit: Annotated[
        str | None,
        typer.Option(
            metavar="RULE[,NAME=VALUE,...]",
            help="Edit the replayed images: distance, cosine, agreement or gmed, and settings such "
            "as step, radius, norm, every, start, only_conflicting. Default: no editing.",
        ),
    ] = None,
    distributed: Annotated[
        PlacementName,
        typer.Option(help="Placement of the samples on the processes of torchrun."),
    ] = "auto",
    checkpoint_every: Annotated[
        int | None,
        typer.Option(
            metavar="TICKS",
            min=1,
            help="Ticks between two checkpoints. Default: a checkpoint on Ctrl-C or SIGTERM only.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the interrupted run in the directory; begin one if there is none.",
        ),
    ] = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train one model on parallel streams and test it.

    Writes config.json, metrics.json, curves.json, trace.json, timeline.png, curves.png, model.pt
    and TensorBoard files, and with --edit editing.json and edits.png, too.

    Ctrl-C and SIGTERM write a checkpoint, and so does --checkpoint-every. The same command with
    --resume then continues; no other options are needed.

    Example: avalanche-emgd train --benchmark ps-digits --scenario class --method emgd-gs
    --output runs/digits

    Example: avalanche-emgd train --npz mine.npz --tasks 4 --model slim-resnet18 --output runs/mine

    Example: avalanche-emgd train --table mine.csv --label-column kind --test-share 0.2
    --output runs/table

    Example: avalanche-emgd train --config runs/digits/config.json --seed 1 --output runs/digits-1

    Example: torchrun --nproc-per-node 4 -m avalanche_emgd train --output runs/digits
    """
    is_first = rank_of_launcher() == 0
    if edit is not None:
        settings["settings"] = {"memory_editing": editing_settings(edit)}
    if resume and (overwrite or config is not None):
        other = "overwrite" if overwrite else "config"
        raise ValueError(f"`resume` continues the run in `output`: leave `{other}` out.")
    chosen = config_to_resume(output, settings) if resume else None
    resume = chosen is not None
    if chosen is None:
        if is_first:
            check_free(output, overwrite=overwrite)
        chosen = RunConfig(**settings) if config is None else load_config(config, **settings)
    if not find_method(chosen.method).has_memory:
        of_memory = {"memory_per_class": settings.get("memory_per_class"), "edit": edit}
        for name, value in of_memory.items():
            if value:
                raise ValueError(
                    f"`{name}` has no effect on {chosen.method}, which keeps no samples."
                )
    chosen.check_data()
    from ..distributed.processes import leave_processes

    try:
        finished = experiments.run(
            chosen,
            output,
            overwrite=overwrite,
            progress=not quiet,
            distributed=distributed,
            checkpoint_every=checkpoint_every,
            on_signals=True,
            resume=resume,
        )
    except TrainingStopped as stopped:
        # A launcher ends all processes when one of them ends.
        leave_processes(together=True)
        if not is_first:
            raise SystemExit(128 + stopped.number) from None
        _say_checkpoint(output, 128 + stopped.number)
    except KeyboardInterrupt as error:  # before or after training, or by a second signal
        if not (is_first and (output / CHECKPOINT).is_file()):
            raise
        _say_checkpoint(output, status_of(error))
    leave_processes()
    if not quiet and is_first:
        console.print(experiments.task_table(finished))
        console.print(f"Results, pictures and TensorBoard files: {output}", soft_wrap=True)


def _say_checkpoint(output: Path, status: int) -> NoReturn:
    stop(
        f"Interrupted. Checkpoint: {output / CHECKPOINT} (avalanche-emgd train --output {output} "
        "--resume continues.)",
        status,
    )


@app.command()
@complains
@with_settings(RunConfig, only=lambda each: each.setting.streams)
def timeline(
    output: Annotated[Path, typer.Option(help="Picture to write (.png, .svg, .pdf).")],
    settings: dict[str, Any],
    overwrite: OverwriteOption = False,
) -> None:
    """Draw the spans of the tasks, without training.

    With --protocol alone, the picture has the published spans. With a benchmark's data, it has the
    spans of a run on them.

    Example: avalanche-emgd timeline --benchmark ps-digits --overlap 0.5 --output timeline.png
    """
    check_picture(output, overwrite=overwrite)
    chosen, names = choose_timeline(RunConfig(**settings))
    save_timeline(chosen, names, output, overwrite=overwrite)
    for name, (first, last) in zip(names, chosen.spans, strict=True):
        console.print(f"{name}: ticks {first}–{last}", highlight=False)
    console.print(f"Picture: {output}", soft_wrap=True)


@app.command()
@complains
@with_settings(RunConfig, only=lambda each: each.name == "threads")
def demo(
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    settings: dict[str, Any],
    seed: Annotated[
        int, typer.Option(help="First of three successive seeds; settings are chosen on 0 to 2.")
    ] = 3,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare four methods on digits, with three seeds; no download.

    The benchmark is ps-digits, class-incremental. The methods are emgd++ (EMGD with the recommended
    ingredients), EMGD as published, DER++ and the plain average. The memory keeps one sample of
    each class.

    Writes curves.png, and a directory for each method with the files of `train` for each seed.

    Example: avalanche-emgd demo --output runs/demo
    """
    check_free(output, overwrite=overwrite)
    from ..experiments.demo import run_demo, what_it_shows

    runs, picture = run_demo(output, seed=seed, **settings, overwrite=overwrite, progress=not quiet)
    if quiet:
        return
    console.print(experiments.comparison_table(runs))
    console.print("A_e: accuracy of each task at its own end, A_ē: at the very end, F_ē: change.")
    console.print(what_it_shows(runs), soft_wrap=True, highlight=False)
    console.print(f"Picture of seed {runs[0].config.seed}: {picture}", soft_wrap=True)
    console.print(f"Each run's results and TensorBoard files: {output}", soft_wrap=True)
