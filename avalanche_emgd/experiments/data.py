"""Sources of data for runs: ready-made benchmarks and user-defined data."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import benchmarks
from ..benchmarks.sizes import PS_CIFAR100, PS_DIGITS, PS_EMNIST, PS_IMAGENET_TINY, Sizes
from ..benchmarks.table_arguments import SUFFIXES
from ..models.model_name import ModelName

if TYPE_CHECKING:
    from ..benchmarks import ParallelBenchmark

__all__ = ["DATA", "BenchmarkName", "Data"]

BenchmarkName = Literal[
    "ps-digits", "ps-emnist", "ps-cifar100", "ps-imagenet-tiny", "images", "npz", "table"
]


@dataclass(frozen=True)
class Data:
    """A source of parallel streams.

    :param generator: function that imports and returns the function that makes the benchmark.
    :param needs: words for ``data_root``; empty if the benchmark needs no data.
    :param downloads: whether the data can be downloaded.
    :param sizes: number of classes, and default sizes without a protocol.
    :param shape: shape of an input; ``None`` if it depends on the data.
    :param model: name of the default model.
    :param learning_rate: default learning rate.
    :param memory_per_class: default capacity of the memory divided by the number of classes.
    :param option: option that sets ``data_root`` on the command line.
    :param suffixes: valid suffixes of ``data_root``; empty if it is a folder.
    :param holds: words for the kind of that file.
    :param contents: words for the content of that file.
    :param flips: whether mirror images are of the same class.
    :param normalisation: mean and standard deviation of the pixels in [0, 1], one value for each
        channel; ``None`` if the data sets have them, as :class:`ImagesInMemory` does.
    """

    generator: Callable[[], Callable[..., ParallelBenchmark]]
    needs: str
    downloads: bool
    sizes: Sizes
    shape: tuple[int, ...] | None
    model: ModelName
    learning_rate: float
    memory_per_class: int
    option: str = "--data-root DIR"
    suffixes: tuple[str, ...] = ()
    holds: str = ""
    contents: str = ""
    flips: bool = True
    normalisation: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def check(self, name: str, root: str | None, *, download: bool) -> None:
        """Check the place of the data before any work starts.

        :param name: name of the benchmark.
        :param root: path of the data; ``None`` if it is not set.
        :param download: whether to download the data to that path.
        :raises FileNotFoundError: if the path does not exist and ``download`` is false.
        :raises ValueError: if ``root`` is ``None`` or of another kind, or ``download`` has no
            effect.
        """
        fetch = ", and --download to fetch them there" if self.downloads else ""
        if download and not self.downloads:
            raise ValueError(f"`download` is not for {name}, which is not downloaded.")
        if not self.needs:
            return
        if root is None:
            raise ValueError(
                f"`data_root` is needed for {name}: {self.needs} (on the command line: "
                f"{self.option}{fetch})."
            )
        place = Path(root)
        if self.suffixes and (place.is_dir() or place.suffix.lower() not in self.suffixes):
            raise ValueError(
                f"`data_root` {root!r} must be {self.holds} that ends with "
                f"{' or '.join(self.suffixes)}{self.contents}.{_option_for(place)}"
            )
        if not self.suffixes and place.exists() and not place.is_dir():
            raise ValueError(
                f"`data_root` {root!r} must be a folder, found a file.{_option_for(place)}"
            )
        if not place.exists() and not download:
            where = "" if place.is_absolute() else f" in the current directory {os.getcwd()!r}"
            raise FileNotFoundError(
                f"`data_root` {root!r} is not there{where}; needed is {self.needs} (on the "
                f"command line: {self.option}{fetch})."
            )

    def make(self, *args: Any, **kwargs: Any) -> ParallelBenchmark:
        """Make the benchmark; the first argument is the path of the data, if it needs one."""
        return self.generator()(*args, **kwargs)


_FOLDER = "the folder that holds its data"
DATA: dict[BenchmarkName, Data] = {
    "ps-digits": Data(
        lambda: benchmarks.ps_digits, "", False, PS_DIGITS, (1, 8, 8), "mlp", 0.003, 3,
        flips=False, normalisation=((0.5,), (0.5,)),  # scaled to [−1, 1]
    ),
    # Published settings of the three benchmarks of the paper.
    "ps-emnist": Data(
        lambda: benchmarks.ps_emnist,
        _FOLDER, True, PS_EMNIST, (1, 28, 28), "mlp", 0.003, 5,
        flips=False,
    ),
    "ps-cifar100": Data(
        lambda: benchmarks.ps_cifar100,
        _FOLDER, True, PS_CIFAR100, (3, 32, 32), "resnet18", 0.0004, 30,
    ),
    "ps-imagenet-tiny": Data(
        lambda: benchmarks.ps_imagenet_tiny,
        _FOLDER, True, PS_IMAGENET_TINY, (3, 64, 64), "resnet18", 0.0005, 15,
    ),
    "images": Data(
        lambda: benchmarks.parallel_benchmark_from_images,
        "the folder with the folders train and test, or with one folder for each class",
        False, Sizes(), None, "slim-resnet18", 0.0005, 20,
        "--images DIR",
    ),
    "npz": Data(
        lambda: benchmarks.parallel_benchmark_from_arrays,
        "the .npz file", False, Sizes(), None, "mlp", 0.001, 20,
        "--npz FILE", (".npz",), "a NumPy file",
        ", with x_train, y_train, x_test and y_test (numpy.savez writes them)",
    ),
    "table": Data(
        lambda: benchmarks.parallel_benchmark_from_table,
        "the .csv or .parquet file", False, Sizes(), None, "mlp", 0.001, 20,
        "--table FILE", SUFFIXES, "a table, in a file",
    ),
}  # fmt: skip
"""By name."""


def _option_for(place: Path) -> str:
    """Name the option that takes files of this suffix, if there is one."""
    suffix = None if place.is_dir() else place.suffix.lower()
    found = [data.option for data in DATA.values() if suffix in data.suffixes]
    return f" Such a file is for {found[0]}." if found else ""
