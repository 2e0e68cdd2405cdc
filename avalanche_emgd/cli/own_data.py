"""Options that name user-defined data."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..experiments.data import DATA, BenchmarkName
from ..experiments.run_settings import SharedSettings
from .options import typed

PLACES: dict[str, Any] = {
    "images": Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Images of your own: folders train and test, each with a folder for each class; "
            "or, with --test-share, one folder for each class.",
        ),
    ],
    "npz": Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Arrays of your own: .npz with x_train, y_train, x_test, y_test."
        ),
    ],
    "table": Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Table of your own, .csv or .parquet: with --label-column, and --test-share or "
            "--test-table.",
        ),
    ],
}
"""Options that name user-defined data, by name. Each sets both ``benchmark`` and ``data_root``."""


def data_options(
    benchmark: BenchmarkName | None,
    data_root: str | None,
    images: str | None,
    npz: str | None,
    table: str | None,
    *,
    beside_file: bool = False,
) -> dict[str, Any]:
    """Return the settings ``benchmark`` and ``data_root``, without those that no option sets.

    :param beside_file: whether a file has the benchmark, unless an option sets it.
    :raises ValueError: if options name more than one place.
    """
    given = typed(images=images, npz=npz, table=table)
    if given and data_root is not None:
        raise ValueError("`data_root` and data of your own exclude each other: give one of them.")
    unsaid = beside_file and benchmark is None
    chosen = benchmark or SharedSettings.benchmark
    if data_root is not None and not (unsaid or DATA[chosen].needs):
        raise ValueError(
            f"`data_root` is not for {chosen}, which brings its own data: leave "
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
