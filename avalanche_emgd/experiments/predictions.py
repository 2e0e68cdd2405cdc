"""Predictions of a trained model for images or arrays, as a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from .._atomic import replacing
from ..benchmarks.unlabelled import arrays_in, images_in, pixels_of, rows_in
from .csv_cells import as_text
from .trained_model import TrainedModel

__all__ = ["predict_arrays", "predict_images", "predict_table", "write_predictions"]

_CHUNK = 256  # images that are decoded together

Predictions = Iterator[tuple[str, list[float]]]


def predict_images(
    model: TrainedModel, directory: str | Path, task: str | None = None
) -> Predictions:
    """Give the path and the probabilities of each image in a folder and its subfolders.

    Images are scaled to the size of the training images.

    :param model: model trained on images.
    :param directory: folder.
    :param task: task, see :meth:`TrainedModel.forward`.
    :raises FileNotFoundError: if the folder does not exist or has no images.
    :raises ValueError: if an image is broken, or the model is not for images.
    """
    shape = model.input_shape
    if model.about["mean"] is None or len(shape) != 3 or shape[0] not in (1, 3):
        raise ValueError(f"`images` are for models of images, and this one takes {list(shape)}.")
    return _of_images(model, str(directory), images_in(directory), task)


def _of_images(
    model: TrainedModel, directory: str, names: list[str], task: str | None
) -> Predictions:
    shape = model.input_shape
    for start in range(0, len(names), _CHUNK):
        own = names[start : start + _CHUNK]
        pixels = pixels_of([os.path.join(directory, name) for name in own], shape)
        yield from zip(own, model.predict(pixels, task).tolist(), strict=True)


def predict_arrays(model: TrainedModel, file: str | Path, task: str | None = None) -> Predictions:
    """Give the number and the probabilities of each sample in a NumPy file.

    :param model: model.
    :param file: file, see ``avalanche_emgd.benchmarks.unlabelled.arrays_in``.
    :param task: task, see :meth:`TrainedModel.forward`.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the file has no samples of the model's inputs.
    """
    rows = model.predict(arrays_in(file), task).tolist()
    return ((str(number), row) for number, row in enumerate(rows))


def predict_table(model: TrainedModel, file: str | Path, task: str | None = None) -> Predictions:
    """Give the number and the probabilities of each row of a table.

    Features are scaled as in training.

    :param model: model trained on a table.
    :param file: ``.csv`` or ``.parquet`` file with the feature columns of the training table.
    :param task: task, see :meth:`TrainedModel.forward`.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the file lacks a column or a value, or the model is not of a table.
    """
    columns = model.about.get("columns")
    if columns is None:
        raise ValueError("`table` is for models of tables, and this one is of other inputs.")
    rows = model.predict(rows_in(file, columns), task).tolist()
    return ((str(number), row) for number, row in enumerate(rows))


def write_predictions(
    path: Path, model: TrainedModel, predictions: Iterable[tuple[str, list[float]]]
) -> int:
    """Write a table (CSV) with a row for each input.

    The first columns are ``input`` (path of the image, or number of the sample), ``prediction``
    (name of the most probable class) and ``probability``. The other columns are the probabilities
    of the classes, by name. A text that a spreadsheet would compute has an apostrophe before it.

    :param path: path of the file.
    :param model: model of the predictions.
    :param predictions: pairs of an input and its probabilities.
    :return: number of rows.
    :raises ValueError: if the file cannot be written.
    """
    rows = 0
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        classes = [as_text(name) for name in model.class_names]
        table.writerow(["input", "prediction", "probability", *classes])
        for name, row in predictions:
            best = max(range(len(row)), key=row.__getitem__)
            table.writerow([as_text(name), classes[best], row[best], *row])
            rows += 1
    return rows
