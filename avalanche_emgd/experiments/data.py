"""What runs can be on, and the settings that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..benchmarks import (
    ParallelBenchmark,
    parallel_benchmark_from_arrays,
    parallel_benchmark_from_images,
    ps_cifar100,
    ps_digits,
    ps_emnist,
    ps_imagenet_tiny,
)
from ..models import ModelName

__all__ = ["DATA", "BenchmarkName", "Data"]

BenchmarkName = Literal[
    "ps-digits", "ps-emnist", "ps-cifar100", "ps-imagenet-tiny", "images", "npz"
]


@dataclass(frozen=True)
class Data:
    """A source of parallel streams.

    :param make: makes the benchmark; takes the path of the data first, where it needs one.
    :param needs: what ``data_root`` is for it; empty if it needs no data.
    :param downloads: whether the data can be downloaded.
    :param num_classes: of all tasks; ``None`` where the data say it.
    :param shape: of an input; ``None`` where the data say it.
    :param num_tasks: where neither a protocol nor the user says it.
    :param model: by default, as the rest.
    """

    make: Callable[..., ParallelBenchmark]
    needs: str
    downloads: bool
    num_classes: int | None
    shape: tuple[int, ...] | None
    num_tasks: int
    model: ModelName
    batch_size: int
    learning_rate: float
    memory_per_class: int


_FOLDER = "the folder that holds its data"
DATA: dict[str, Data] = {
    "ps-digits": Data(ps_digits, "", False, 10, (1, 8, 8), 5, "mlp", 4, 0.003, 3),
    # Published settings of the paper's three.
    "ps-emnist": Data(ps_emnist, _FOLDER, True, 62, (1, 28, 28), 5, "mlp", 128, 0.003, 5),
    "ps-cifar100": Data(
        ps_cifar100, _FOLDER, True, 100, (3, 32, 32), 10, "resnet18", 128, 0.0004, 30
    ),
    "ps-imagenet-tiny": Data(
        ps_imagenet_tiny, _FOLDER, True, 200, (3, 64, 64), 10, "resnet18", 128, 0.0005, 15
    ),
    "images": Data(
        parallel_benchmark_from_images,
        "the folder with the folders train and test",
        False, None, None, 5, "slim-resnet18", 32, 0.0005, 20,
    ),
    "npz": Data(
        parallel_benchmark_from_arrays, "the .npz file", False, None, None, 5, "mlp", 32, 0.001, 20
    ),
}  # fmt: skip
"""By name."""
