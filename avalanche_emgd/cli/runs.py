"""Commands about single runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import experiments
from ..experiments.output import check_free
from ..experiments.run_file import load_config
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
    DeviceOption,
    DownloadOption,
    EpochsOption,
    EvalEveryOption,
    LabelSetOption,
    LearningRateOption,
    MemoryPerClassOption,
    ModelOption,
    OptimizerOption,
    OverlapOption,
    OverwriteOption,
    PrecisionOption,
    ProtocolOption,
    QuietOption,
    ScenarioOption,
    SeedOption,
    TasksOption,
    ThreadsOption,
    TimelineOption,
    WeightDecayOption,
    typed,
)
from .own_data import (
    FeatureColumnsOption,
    ImagesOption,
    LabelColumnOption,
    NpzOption,
    RawFeaturesOption,
    TableOption,
    TaskColumnOption,
    TestShareOption,
    TestTableOption,
    column_names,
    data_options,
    image_size,
)


@app.command()
@complains
def train(
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="config.json of an earlier run, to repeat it; options take the place of what it "
            "says.",
        ),
    ] = None,
    benchmark: BenchmarkOption = None,
    images: ImagesOption = None,
    npz: NpzOption = None,
    table: TableOption = None,
    label_column: LabelColumnOption = None,
    task_column: TaskColumnOption = None,
    feature_columns: FeatureColumnsOption = None,
    test_table: TestTableOption = None,
    test_share: TestShareOption = None,
    raw_features: RawFeaturesOption = False,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="PIXELS|HxW",
            help="To which --images are scaled: 32, or 32x48. Needed unless all have one size.",
        ),
    ] = None,
    scenario: ScenarioOption = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="One of those that `avalanche-emgd methods` lists, or module:callable for one "
            "of your own. Default: emgd-gmc."
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
    seed: Annotated[int | None, typer.Option(help="Seed of everything random. Default: 0.")] = None,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    protocol: ProtocolOption = None,
    label_set: LabelSetOption = None,
    timeline: TimelineOption = None,
    overlap: OverlapOption = None,
    tasks: TasksOption = None,
    model: ModelOption = None,
    augment: AugmentOption = False,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    optimizer: OptimizerOption = None,
    learning_rate: LearningRateOption = None,
    weight_decay: WeightDecayOption = None,
    memory_per_class: MemoryPerClassOption = None,
    eval_every: EvalEveryOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    channels_last: ChannelsLastOption = False,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train one model on parallel streams and test it.

    Writes config.json, metrics.json, curves.json, trace.json, timeline.png, curves.png and
    TensorBoard files, and with --edit editing.json and edits.png, too.

    Example: avalanche-emgd train --benchmark ps-digits --scenario class --method emgd-gs
    --output runs/digits

    Example: avalanche-emgd train --npz mine.npz --tasks 4 --model slim-resnet18 --output runs/mine

    Example: avalanche-emgd train --table mine.csv --label-column kind --test-share 0.2
    --output runs/table

    Example: avalanche-emgd train --config runs/digits/config.json --seed 1 --output runs/digits-1
    """
    check_free(output, overwrite=overwrite)
    given = typed(
        **data_options(benchmark, data_root, images, npz, table, beside_file=config is not None),
        label_column=label_column,
        task_column=task_column,
        feature_columns=column_names(feature_columns),
        test_table=test_table,
        test_share=test_share,
        raw_features=raw_features,
        size=None if size is None else image_size(size),
        scenario=scenario,
        method=method,
        settings=None if edit is None else {"memory_editing": editing_settings(edit)},
        seed=seed,
        download=download,
        protocol=protocol,
        label_set=label_set,
        timeline=timeline,
        overlap=overlap,
        num_tasks=tasks,
        model=model,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        memory_per_class=memory_per_class,
        eval_every=eval_every,
        device=device,
        precision=precision,
        channels_last=channels_last,
        threads=threads,
    )
    chosen = experiments.RunConfig(**given) if config is None else load_config(config, **given)
    if not find_method(chosen.method).has_memory:
        for name, value in (("memory_per_class", memory_per_class), ("edit", edit)):
            if value:
                raise ValueError(
                    f"`{name}` has no effect on {chosen.method}, which keeps no samples."
                )
    chosen.check_data()
    finished = experiments.run(chosen, output, overwrite=overwrite, progress=not quiet)
    if not quiet:
        console.print(experiments.task_table(finished))
        console.print(f"Results, pictures and TensorBoard files: {output}", soft_wrap=True)


@app.command()
@complains
def timeline(
    output: Annotated[Path, typer.Option(help="Picture to write (.png, .svg, .pdf).")],
    benchmark: BenchmarkOption = None,
    images: ImagesOption = None,
    npz: NpzOption = None,
    table: TableOption = None,
    label_column: LabelColumnOption = None,
    task_column: TaskColumnOption = None,
    feature_columns: FeatureColumnsOption = None,
    test_table: TestTableOption = None,
    test_share: TestShareOption = None,
    raw_features: RawFeaturesOption = False,
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
        **data_options(benchmark, data_root, images, npz, table),
        label_column=label_column,
        task_column=task_column,
        feature_columns=column_names(feature_columns),
        test_table=test_table,
        test_share=test_share,
        raw_features=raw_features,
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
    quiet: QuietOption = False,
) -> None:
    """EMGD beside the plain average on PS-Digits, class-incremental; needs no download.

    Example: avalanche-emgd demo --output runs/demo
    """
    for name in ("emgd-gmc", "avg"):
        check_free(output / name, overwrite=overwrite)
    from ..experiments.demo import run_demo

    number = 1 if threads is None else threads
    runs, picture = run_demo(
        output, seed=seed, threads=number, overwrite=overwrite, progress=not quiet
    )
    if quiet:
        return
    console.print(experiments.comparison_table(runs))
    console.print("A_e: accuracy of each task at its own end, A_ē: at the very end, F_ē: change.")
    console.print(f"Picture: {picture}", soft_wrap=True)
    console.print(f"Each run's results and TensorBoard files: {output}", soft_wrap=True)
