"""Commands about single runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from .. import experiments
from ..experiments.output import check_free
from ..experiments.timelines import check_picture, choose_timeline, save_timeline
from ..training.methods import find_method
from .app import app, console
from .editing import editing_settings
from .errors import complains
from .options import (
    AugmentOption,
    BatchSizeOption,
    BenchmarkOption,
    ChannelsLastOption,
    DataRootOption,
    DownloadOption,
    EvalEveryOption,
    ImagesOption,
    LabelSetOption,
    LearningRateOption,
    MemoryPerClassOption,
    ModelOption,
    NpzOption,
    OverlapOption,
    OverwriteOption,
    PrecisionOption,
    ProtocolOption,
    ScenarioOption,
    SeedOption,
    TasksOption,
    ThreadsOption,
    TimelineOption,
    data_options,
)


@app.command()
@complains
def train(
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    benchmark: BenchmarkOption = None,
    images: ImagesOption = None,
    npz: NpzOption = None,
    scenario: ScenarioOption = "class",
    method: Annotated[
        str,
        typer.Option(
            help="One of those that `avalanche-emgd methods` lists, or module:callable for one "
            "of your own."
        ),
    ] = "emgd-gmc",
    edit: Annotated[
        str | None,
        typer.Option(
            metavar="RULE[,NAME=VALUE,...]",
            help="Edit the replayed images: distance, cosine, agreement or gmed, and settings such "
            "as step, radius, norm, every, start, only_conflicting. Default: no editing.",
        ),
    ] = None,
    seed: SeedOption = 0,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    protocol: ProtocolOption = None,
    label_set: LabelSetOption = None,
    timeline: TimelineOption = None,
    overlap: OverlapOption = None,
    tasks: TasksOption = None,
    model: ModelOption = None,
    augment: AugmentOption = False,
    batch_size: BatchSizeOption = None,
    learning_rate: LearningRateOption = None,
    memory_per_class: MemoryPerClassOption = None,
    eval_every: EvalEveryOption = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps, ...")] = "cpu",
    precision: PrecisionOption = None,
    channels_last: ChannelsLastOption = False,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Train one model on parallel streams and test it.

    Writes config.json, metrics.json, timeline.png, curves.png and TensorBoard files, and with
    --edit edits.png, too.

    Example: avalanche-emgd train --benchmark ps-digits --scenario class --method emgd-gs
    --output runs/digits

    Example: avalanche-emgd train --npz mine.npz --tasks 4 --model slim-resnet18 --output runs/mine
    """
    check_free(output, overwrite=overwrite)
    config = experiments.RunConfig(
        **cast("Any", data_options(benchmark, data_root, images, npz)),
        scenario=scenario,
        method=method,
        settings={} if edit is None else {"memory_editing": editing_settings(edit)},
        seed=seed,
        download=download,
        protocol=protocol,
        label_set=label_set,
        timeline=timeline,
        overlap=overlap,
        num_tasks=tasks,
        model=model,
        augment=augment,
        batch_size=batch_size,
        learning_rate=learning_rate,
        memory_per_class=memory_per_class,
        eval_every=eval_every,
        device=device,
        precision=precision,
        channels_last=channels_last,
        threads=1 if threads is None else threads,
    )
    if not find_method(method).has_memory:
        for name, value in (("memory_per_class", memory_per_class), ("edit", edit)):
            if value:
                raise ValueError(f"`{name}` has no effect on {method}, which keeps no samples.")
    config.check_data()
    finished = experiments.run(config, output, overwrite=overwrite)
    console.print(experiments.task_table(finished))
    console.print(f"Results, pictures and TensorBoard files: {output}", soft_wrap=True)


@app.command()
@complains
def timeline(
    output: Annotated[Path, typer.Option(help="Picture to write (.png, .svg, .pdf).")],
    benchmark: BenchmarkOption = None,
    images: ImagesOption = None,
    npz: NpzOption = None,
    seed: SeedOption = 0,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    protocol: ProtocolOption = None,
    label_set: LabelSetOption = None,
    timeline: TimelineOption = None,
    overlap: OverlapOption = None,
    tasks: TasksOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Draw the spans of the tasks, without training.

    With --protocol alone, the published spans as they are; with a benchmark's data, the spans that
    a run on them would have.

    Example: avalanche-emgd timeline --benchmark ps-digits --overlap 0.5 --output timeline.png
    """
    check_picture(output, overwrite=overwrite)
    config = experiments.RunConfig(
        **cast("Any", data_options(benchmark, data_root, images, npz)),
        seed=seed,
        download=download,
        protocol=protocol,
        label_set=label_set,
        timeline=timeline,
        overlap=overlap,
        num_tasks=tasks,
    )
    chosen, names = choose_timeline(config)
    save_timeline(chosen, names, output, overwrite=overwrite)
    for name, (first, last) in zip(names, chosen.spans, strict=True):
        console.print(f"{name}: ticks {first}–{last}", highlight=False)
    console.print(f"Picture: {output}", soft_wrap=True)


@app.command()
@complains
def demo(
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """EMGD beside the plain average on PS-Digits, class-incremental; needs no download.

    Example: avalanche-emgd demo --output runs/demo
    """
    for name in ("emgd-gmc", "avg"):
        check_free(output / name, overwrite=overwrite)
    from ..experiments.demo import run_demo

    number = 1 if threads is None else threads
    runs, picture = run_demo(output, seed=seed, threads=number, overwrite=overwrite)
    console.print(experiments.comparison_table(runs))
    console.print("A_e: accuracy of each task at its own end, A_ē: at the very end, F_ē: change.")
    console.print(f"Picture: {picture}", soft_wrap=True)
    console.print(f"Each run's results and TensorBoard files: {output}", soft_wrap=True)
