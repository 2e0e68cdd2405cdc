"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import typer

from ..benchmarks.scenario import Scenario
from ..experiments.data import BenchmarkName
from ..experiments.optimizers import OptimizerName
from ..models.model_name import ModelName
from ..training.precision_name import Precision

BenchmarkOption = Annotated[
    BenchmarkName | None,
    typer.Option(
        help="Ready-made benchmark; images, npz and table are data of your own. Default: ps-digits."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        help=f"{', '.join(get_args(ModelName))}, or module:callable for one of your own, called "
        "with the number of classes and the shape of an input. Default: mlp, or a ResNet-18 for "
        "colour images."
    ),
]
ScenarioOption = Annotated[
    Scenario | None,
    typer.Option(
        help="task: the task of a sample is known, only its classes compete; "
        "class: the classes of all tasks started so far compete. Default: class."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.")]
DataRootOption = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Folder that holds the data set (torchvision's layout)."),
]
DownloadOption = Annotated[bool, typer.Option("--download", help="Download the data set there.")]
ProtocolOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="JSON file with label sets and time lines.")
]
LabelSetOption = Annotated[
    int | None, typer.Option(help="Which label set of the protocol, from 0. Default: 0.")
]
TimelineOption = Annotated[
    int | None, typer.Option(help="Which of its time lines, from 0. Default: 0.")
]
OverlapOption = Annotated[
    float | None,
    typer.Option(help="Overlap of successive tasks: 0 is serial, 1 all at once. Default: random."),
]
TasksOption = Annotated[
    int | None,
    typer.Option("--tasks", help="Tasks, if no protocol says so. Default: the benchmark's."),
]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what an earlier run wrote; other files stay."),
]
AugmentOption = Annotated[
    bool, typer.Option("--augment", help="Crop and flip training images at random.")
]
BatchSizeOption = Annotated[
    int | None, typer.Option(help="Samples per task and tick. Default: the benchmark's.")
]
EpochsOption = Annotated[
    int | None,
    typer.Option(help="Passes over each task's samples within its span. Default: 1."),
]
OptimizerOption = Annotated[OptimizerName | None, typer.Option(help="Default: adam.")]
LearningRateOption = Annotated[
    float | None, typer.Option(help="Of the optimizer. Default: the benchmark's, for Adam.")
]
WeightDecayOption = Annotated[float | None, typer.Option(help="Of the optimizer. Default: 0.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Print nothing but errors; results are in the files.")
]
MemoryPerClassOption = Annotated[
    int | None,
    typer.Option(help="Replay memory / number of classes. Default: the benchmark's."),
]
EvalEveryOption = Annotated[
    int | None, typer.Option(help="Ticks between tests. Default: about 50 tests in all.")
]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps, ... Default: cpu.")]
PrecisionOption = Annotated[
    Precision | None, typer.Option(help="Train with forward passes in fewer bits.")
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        help="Threads of the CPU in each run. The same number gives the same weights. Default: 1."
    ),
]
ChannelsLastOption = Annotated[
    bool,
    typer.Option(
        "--channels-last", help="Lay convolutional models out pixel by pixel, often faster."
    ),
]


def typed(**options: Any) -> dict[str, Any]:
    """Choose the options that were typed: neither ``None`` nor a flag that is off."""
    return {name: v for name, v in options.items() if not (v is None or v is False)}
