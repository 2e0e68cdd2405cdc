"""User-defined arrays as the inputs of data sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from ._pixel_statistics import SAMPLE, PixelStatistics
from .images import ImagesInMemory
from .inputs import non_finite_row

__all__ = ["datasets_of", "inputs_of_array"]


def inputs_of_array(x: Any, owner: str, place: str) -> Tensor:
    """Convert an array of images, token ids or other numbers into a tensor.

    :param x: NumPy array.
    :param owner: description of the argument that holds the array, for error messages.
    :param place: name of the array in that argument, for error messages.
    :return: images as uint8 ``[N, C, H, W]``, token ids as int64 ``[N, length]``, other numbers as
        float32 ``[N, ...]``.
    :raises ValueError: if the array is of another kind, has numbers that are not finite, or has
        token ids below zero.
    """
    if x.ndim >= 2 and 0 in x.shape[1:]:
        raise ValueError(f"{owner} has samples without a number in {place}, of shape {x.shape}.")
    if x.dtype.kind == "f" and x.ndim >= 2:
        with np.errstate(over="ignore"):  # overflow becomes infinite, which is checked below
            numbers = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
        bad = non_finite_row(numbers, None)
        if bad is not None:
            raise ValueError(
                f"{owner} has NaN or infinite numbers in {place}[{bad}]: leave the "
                "sample out or replace them."
            )
        return numbers
    if x.dtype.kind in "iu" and x.dtype != np.uint8 and x.ndim == 2 and x.size:
        return _tokens(x, owner, place)
    images = torch.from_numpy(np.ascontiguousarray(x)) if x.dtype == np.uint8 else None
    if images is not None and images.ndim == 3:
        return images.unsqueeze(1)
    if images is not None and images.ndim == 4 and images.shape[3] in (1, 3):
        return images.permute(0, 3, 1, 2).contiguous()
    if images is not None and images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    raise ValueError(
        f"{owner} must have uint8 images [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 "
        "channels, floating-point samples [N, ...], or token ids [N, length] of int64 or int32. "
        f"Found in {place}: {x.dtype} {x.shape}."
    )


def _tokens(x: Any, owner: str, place: str) -> Tensor:
    wrong = (x < 0) | (x > np.iinfo(np.int64).max)
    if wrong.any():
        row, column = (int(index) for index in np.argwhere(wrong)[0])
        raise ValueError(
            f"{owner} has {x[row, column]} in {place}[{row}], which is no token id of int64 ≥ 0: "
            "give padding its own id, and save numbers that are not token ids as floating point."
        )
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.int64))


def datasets_of(
    inputs: Sequence[Tensor], targets: Sequence[Tensor]
) -> tuple[Dataset[Any], Dataset[Any]]:
    """Make the training and the test data set from the tensors of :func:`inputs_of_array`.

    Images are normalised by channel over the training images.

    :param inputs: inputs of the training samples, then of the test samples.
    :param targets: class labels of the training samples, then of the test samples, int64 ``[N]``.
    :return: training data set and test data set.
    """
    if inputs[0].dtype != torch.uint8:
        train, test = (TensorDataset(x, y) for x, y in zip(inputs, targets, strict=True))
        return train, test
    found = PixelStatistics([inputs[0][:: -(-len(inputs[0]) // SAMPLE)]])
    images = [
        ImagesInMemory(x, y, found.mean, found.std) for x, y in zip(inputs, targets, strict=True)
    ]
    return images[0], images[1]
