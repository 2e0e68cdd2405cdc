"""Options of data of one's own."""

from __future__ import annotations

import csv
from typing import Annotated, Any

import typer

from ..experiments.data import DATA, BenchmarkName
from .options import typed

ImagesOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Images of your own: folders train and test, each with a folder for each class; or, "
        "with --test-share, one folder for each class.",
    ),
]
NpzOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Arrays of your own: .npz with x_train, y_train, x_test, y_test."
    ),
]
TableOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Table of your own, .csv or .parquet: with --label-column, and --test-share or "
        "--test-table.",
    ),
]
LabelColumnOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column of --table with the class of each row.")
]
TaskColumnOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column of --table with the task of each row, if any."),
]
FeatureColumnsOption = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...", help="Columns of --table that are inputs. Default: all others."
    ),
]
TestTableOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Table with the rows for testing.")
]
TestShareOption = Annotated[
    float | None,
    typer.Option(
        help="Share for testing of each class of --table or --images, such as 0.2, drawn by --seed."
    ),
]
RawFeaturesOption = Annotated[
    bool,
    typer.Option(
        "--raw-features",
        help="Leave features of --table as they are. Default: mean 0 and variance 1 over the "
        "training rows.",
    ),
]


def column_names(text: str | None) -> list[str] | None:
    """Names separated by commas; those with a comma in them stand in double quotes."""
    if text is None:
        return None
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def data_options(
    benchmark: BenchmarkName | None,
    data_root: str | None,
    images: str | None,
    npz: str | None,
    table: str | None,
    *,
    beside_file: bool = False,
) -> dict[str, Any]:
    """Give the settings of a run that say where the data are; options not typed are left out.

    :param beside_file: whether a file says the benchmark, unless it is given here.
    :raises ValueError: if more than one place is named.
    """
    given = typed(images=images, npz=npz, table=table)
    if given and data_root is not None:
        raise ValueError("`data_root` and data of your own exclude each other: give one of them.")
    unsaid = beside_file and benchmark is None
    if data_root is not None and not (unsaid or DATA[benchmark or "ps-digits"].needs):
        raise ValueError(
            f"`data_root` is not for {benchmark or 'ps-digits'}, which brings its own data: leave "
            "it out, or give `benchmark`, too."
        )
    if not given:
        return typed(benchmark=benchmark, data_root=data_root)
    (name, path), *more = given.items()
    if more or benchmark not in (None, name):
        raise ValueError(
            f"`{name}` says what the data are: leave `benchmark`, `data_root` and other data out."
        )
    return {"benchmark": name, "data_root": path}


def image_size(text: str) -> tuple[int, ...]:
    """Read a height and a width, or one number for both.

    :raises ValueError: if it is not of this form.
    """
    numbers = text.lower().split("x")
    if len(numbers) > 2 or not all(number.isdecimal() for number in numbers):
        raise ValueError(
            f"`size` must be pixels, as 32, or height x width, as 32x48, found {text!r}."
        )
    return tuple(int(number) for number in (numbers * 2)[:2])
