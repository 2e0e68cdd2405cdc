"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from ..benchmarks import Scenario
from ..experiments.config import BenchmarkName

BenchmarkOption = Annotated[BenchmarkName, typer.Option(help="Ready-made benchmark.")]
ScenarioOption = Annotated[
    Scenario,
    typer.Option(
        help="task: the task of a sample is known, only its classes compete; "
        "class: the classes of all tasks started so far compete."
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
    int | None, typer.Option("--tasks", help="Tasks, if no protocol says so. Default: 5.")
]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what an earlier run wrote; other files stay."),
]
BatchSizeOption = Annotated[
    int | None, typer.Option(help="Samples per task and tick. Default: the benchmark's.")
]
LearningRateOption = Annotated[
    float | None, typer.Option(help="Of Adam. Default: the benchmark's.")
]
MemoryPerClassOption = Annotated[
    int | None,
    typer.Option(help="Replay memory / number of classes. Default: the benchmark's."),
]
EvalEveryOption = Annotated[
    int | None, typer.Option(help="Ticks between tests. Default: about 50 tests in all.")
]
