"""Inputs without labels, read as those of training data are."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.datasets.folder import IMG_EXTENSIONS

from .._near import did_you_mean
from .._paths import checked_path
from .._text_files import excerpt
from ._array_inputs import inputs_of_array
from ._image_reading import decode
from ._npz import read_arrays
from ._table_columns import Column, numbers
from ._table_files import Table

__all__ = ["arrays_in", "images_in", "pixels_of", "rows_in"]

_KEYS = ("x", "x_test")


def images_in(directory: str | Path) -> list[str]:
    """List the images in a folder and its subfolders, as paths within the folder.

    :raises FileNotFoundError: if the folder does not exist or has no images.
    """
    folder = checked_path(directory, "images")
    if not folder.is_dir():
        raise FileNotFoundError(f"`images` {str(folder)!r} is no folder.")
    names = sorted(
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, files in os.walk(folder)
        for name in files
        if name.lower().endswith(IMG_EXTENSIONS)
    )
    if not names:
        raise FileNotFoundError(f"`images` {str(folder)!r} has no images.")
    return names


def pixels_of(paths: Sequence[str], shape: Sequence[int]) -> Tensor:
    """Decode images, and scale them to a size.

    :param paths: paths of N image files.
    :param shape: shape ``[C, H, W]`` with C = 1 for grey or 3 for RGB.
    :return: pixels uint8 ``[N, C, H, W]``.
    :raises ValueError: if an image is broken or too large; the message names it.
    """
    return torch.stack([_pixels(path, shape) for path in paths])


def _pixels(path: str, shape: Sequence[int]) -> Tensor:
    pixels, _ = decode(path, (shape[1], shape[2]))
    if shape[0] == 1:
        return torch.from_numpy(np.array(Image.fromarray(pixels).convert("L"))).unsqueeze(0)
    return torch.tensor(pixels).permute(2, 0, 1)


def rows_in(file: str | Path, columns: Sequence[str]) -> Tensor:
    """Read the features of the rows of a table.

    :param file: ``.csv`` or ``.parquet`` file, see
        :func:`~avalanche_emgd.parallel_benchmark_from_table`.
    :param columns: names of the F feature columns; others are ignored.
    :return: features as they are in the file, float64 ``[N, F]``.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the file is no table, or lacks a column or a value.
    """
    table = Table(file, "table")
    for column in columns:
        if column not in table.columns:
            raise ValueError(
                f"{table.what} has no column {excerpt(column)}, which the model was trained on."
                f"{did_you_mean(column, table.columns)}"
            )
    read = table.read(columns)
    found = np.empty((read.num_rows, len(columns)))
    for place, name in enumerate(columns):
        values = Column(read.column(name), table.what, name, table.is_text)
        found[:, place] = numbers(values, "encode it as in training")
    return torch.from_numpy(found)


def arrays_in(file: str | Path) -> Tensor:
    """Read the samples of a NumPy file.

    :param file: ``.npz`` file with the samples in ``x``, or in ``x_test``, of the shape and type of
        training samples, see :func:`~avalanche_emgd.parallel_benchmark_from_arrays`.
    :return: inputs ``[N, ...]``; images as uint8 ``[N, C, H, W]``.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the file has no such samples.
    """
    path = checked_path(file, "npz")
    known: set[str] = set()
    # What is wrong with a damaged file, `read_arrays` says.
    with suppress(Exception), zipfile.ZipFile(path) as archive:
        known = set(archive.namelist())
    key = next((key for key in _KEYS if f"{key}.npy" in known), _KEYS[0])
    return inputs_of_array(read_arrays(path, [key])[key], f"`npz` {str(path)!r}", key)
