"""The settings that all runs of a study share, each declared here only.

The class :class:`~avalanche_emgd.experiments.RunConfig` declares the others, which differ between
the runs of a study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from .._imports import find_callable
from ..benchmarks.limits import MOST_PIXELS, MOST_TASKS
from ..models.model_name import ModelName, check_model_name
from ..training.precision_name import Precision
from .data import BenchmarkName
from .optimizers import OptimizerName
from .setting import Setting
from .setting_texts import column_names, image_size
from .setting_values import check_settings

__all__ = ["SharedSettings"]

_STREAMS = ("protocol", "task_column")  # settings that define the tasks


def _checked_model(name: str) -> str:
    check_model_name(name)
    if ":" in name:
        find_callable(name, "model")
    return name


def _checked_columns(names: Sequence[str]) -> Sequence[str]:
    if not names:
        raise ValueError("`feature_columns` must be a list of names of columns, found none.")
    return names


def _checked_size(size: Any) -> tuple[int, ...]:
    numbers = size if isinstance(size, Sequence) else ()
    if len(numbers) != 2 or not all(isinstance(n, int) and n > 0 for n in numbers):
        raise ValueError(
            f"`size` must be a height and a width in pixels, at least 1, found {size!r}."
        )
    if numbers[0] * numbers[1] > MOST_PIXELS:
        raise ValueError(
            f"`size` must be at most {MOST_PIXELS:,} pixels in all, found {numbers[0]} x "
            f"{numbers[1]}."
        )
    return tuple(numbers)


@dataclass(frozen=True, kw_only=True)
class SharedSettings:
    """Settings of a run that are settings of a study, too."""

    benchmark: Annotated[
        BenchmarkName,
        Setting(
            "Ready-made benchmark, or images, npz or table for data of your own.", streams=True
        ),
    ] = "ps-digits"
    data_root: Annotated[
        str | None,
        Setting(
            "Folder that holds the data set, in torchvision's layout. Of your own data it is the "
            "folder of images, or the file of arrays or with the table.",
            metavar="DIR",
            streams=True,
            place=True,
            follows=("benchmark",),
        ),
    ] = None
    download: Annotated[
        bool, Setting("Download of the data set into that folder.", streams=True, place=True)
    ] = False
    size: Annotated[
        Sequence[int] | None,
        Setting(
            "Height and width in pixels to which images of your own are scaled, as 32 or 32x48. "
            "Needed unless all have one size.",
            metavar="PIXELS|HxW",
            read=image_size,
            check=_checked_size,
            own_data=("images",),
            follows=("benchmark",),
        ),
    ] = None
    label_column: Annotated[
        str | None,
        Setting(
            "Column of the table with the class of each row.",
            metavar="NAME",
            streams=True,
            own_data=("table",),
            follows=("benchmark",),
        ),
    ] = None
    task_column: Annotated[
        str | None,
        Setting(
            "Column of the table with the task of each row, if any.",
            metavar="NAME",
            streams=True,
            own_data=("table",),
            follows=("benchmark", "protocol", "num_tasks"),
        ),
    ] = None
    feature_columns: Annotated[
        Sequence[str] | None,
        Setting(
            "Columns of the table that are inputs.",
            default="all others",
            metavar="A,B,...",
            read=column_names,
            words="a list of names of columns",
            check=_checked_columns,
            streams=True,
            own_data=("table",),
            follows=("benchmark",),
        ),
    ] = None
    test_table: Annotated[
        str | None,
        Setting(
            "Table with the rows for testing.",
            metavar="FILE",
            streams=True,
            place=True,
            own_data=("table",),
            follows=("benchmark", "test_share"),
        ),
    ] = None
    test_share: Annotated[
        float | None,
        Setting(
            "Share for testing, such as 0.2, of each class of the table or the images, drawn by "
            "the seed.",
            above=0,
            below=1,
            words="a number between 0 and 1, such as 0.2",
            streams=True,
            own_data=("images", "table"),
            follows=("benchmark", "test_table"),
        ),
    ] = None
    raw_features: Annotated[
        bool,
        Setting(
            "Features of the table as they are.",
            default="mean 0 and variance 1 over the training rows",
            streams=True,
            own_data=("table",),
            follows=("benchmark",),
        ),
    ] = False
    protocol: Annotated[
        str | None,
        Setting(
            "JSON file with label sets and time lines.",
            metavar="FILE",
            streams=True,
            place=True,
            follows=("benchmark", "task_column", "num_tasks", "overlap"),
        ),
    ] = None
    overlap: Annotated[
        float | None,
        Setting(
            "Overlap of successive tasks: 0 is serial, 1 all at once.",
            default="random",
            low=0,
            high=1,
            streams=True,
            follows=("protocol",),
        ),
    ] = None
    num_tasks: Annotated[
        int | None,
        Setting(
            "Number of tasks, if no protocol gives it.",
            default="the benchmark's",
            option="tasks",
            low=1,
            high=MOST_TASKS,
            streams=True,
            follows=("benchmark", *_STREAMS),
        ),
    ] = None
    model: Annotated[
        str | None,
        Setting(
            f"Name of the model: {', '.join(get_args(ModelName))}, or module:callable for one of "
            "your own. The callable takes the number of classes and the shape of an input.",
            default="mlp, or a ResNet-18 for colour images",
            check=_checked_model,
            follows=("benchmark",),
        ),
    ] = None
    augment: Annotated[
        bool,
        Setting(
            "Random crops and flips of training images, replayed ones included. Characters are "
            "not flipped.",
            follows=("benchmark",),
        ),
    ] = False
    no_flip: Annotated[
        bool,
        Setting(
            "Augmentation without flips, for images whose mirror images are of other classes.",
            follows=("benchmark", "augment"),
        ),
    ] = False
    epochs: Annotated[
        int,
        Setting("Passes over each task's samples within its span, which grows with them.", low=1),
    ] = 1
    batch_size: Annotated[
        int | None,
        Setting(
            "Samples per task and tick.",
            default="the benchmark's",
            low=1,
            follows=("benchmark",),
        ),
    ] = None
    optimizer: Annotated[OptimizerName, Setting("Optimizer of the model's parameters.")] = "adam"
    learning_rate: Annotated[
        float | None,
        Setting(
            "Learning rate of the optimizer, positive.",
            default="the benchmark's, chosen for Adam",
            above=0,
            follows=("benchmark",),
        ),
    ] = None
    weight_decay: Annotated[float, Setting("Weight decay of the optimizer, at least 0.", low=0)] = (
        0.0
    )
    memory_per_class: Annotated[
        int | None,
        Setting(
            "Samples in the replay memory, divided by the number of classes; 0 for no memory.",
            default="the benchmark's",
            follows=("benchmark",),
        ),
    ] = None
    eval_every: Annotated[
        int | None,
        Setting(
            "Ticks between tests of all started tasks.",
            default="about 50 tests in all; in a study, tests when a task starts or ends",
            low=1,
        ),
    ] = None
    device: Annotated[str, Setting("Device that trains the model: cpu, cuda, cuda:1, mps, ...")] = (
        "cpu"
    )
    precision: Annotated[
        Precision | None, Setting("Precision of forward passes in training.", default="float32")
    ] = None
    channels_last: Annotated[
        bool,
        Setting(
            "Memory layout of convolutional models pixel by pixel, often faster; last digits "
            "change.",
            follows=("benchmark",),
        ),
    ] = False
    threads: Annotated[
        int,
        Setting(
            "Threads of the CPU in each run. The same number gives the same weights.",
            low=1,
            high=1024,
        ),
    ] = 1

    def __post_init__(self) -> None:
        check_settings(self)
