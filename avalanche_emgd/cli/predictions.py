"""The command that predicts with a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import app, console
from .errors import complains
from .options import QuietOption


@app.command()
@complains
def predict(
    run: Annotated[Path, typer.Argument(help="Directory of a run, or its file model.pt.")],
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with images, and subfolders.")
    ] = None,
    npz: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="NumPy file with the samples in x, or in x_test."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Table, .csv or .parquet, with the feature columns of training."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Table to write. Default: predictions.csv beside it."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Task of all inputs, whose classes compete alone. Default: all."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODULE:CALLABLE", help="Your own model, if the run had one."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the table if it exists.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Predict the classes of images, arrays or rows of a table.

    Writes a table (CSV) with the most probable class of each input, and the probabilities of all.

    Example: avalanche-emgd predict runs/digits --images photos
    """
    if sum(each is not None for each in (images, npz, table)) != 1:
        raise ValueError("`images`, `npz` or `table` is needed, one of the three.")
    from ..experiments.output import check_free_file

    folder = run if run.is_dir() else run.parent
    path = folder / "predictions.csv" if output is None else output
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError(f"`output` {str(path)!r} must be a file in an existing folder.")
    check_free_file(path, overwrite=overwrite)
    from ..experiments.predictions import (
        predict_arrays,
        predict_images,
        predict_table,
        write_predictions,
    )
    from ..experiments.trained_model import load_model, own_model

    trained = load_model(run, model=None if model is None else own_model(run, model))
    if images is not None:
        found = predict_images(trained, images, task)
    elif npz is not None:
        found = predict_arrays(trained, npz, task)
    else:
        found = predict_table(trained, str(table), task)
    rows = write_predictions(path, trained, found)
    if not quiet:
        console.print(f"Predictions of {rows} inputs: {path}", soft_wrap=True, highlight=False)
