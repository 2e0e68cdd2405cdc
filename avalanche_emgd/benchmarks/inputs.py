"""Shape and type of inputs, and checks for finite numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .._text_files import first_line

__all__ = ["InputError", "InputKind", "InputKinds", "extremes_of", "kind_of", "non_finite_row"]

_CHUNK = 1 << 22  # numbers that are checked together


class InputError(ValueError):
    """Reason why an input cannot be used; the caller adds the name of the input."""


@dataclass(frozen=True)
class InputKind:
    """Shape and type that all inputs of a data set have.

    :param shape: shape of one input.
    :param dtype: type of its numbers.
    :param is_array: whether inputs are NumPy arrays, which loaders do not mix with tensors.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    is_array: bool = False

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')} {list(self.shape)}"

    def agrees(self, other: InputKind) -> bool:
        """Whether minibatches of both kinds can be joined."""
        return (self.shape, self.dtype) == (other.shape, other.dtype)


@dataclass(frozen=True)
class InputKinds:
    """Kinds of the inputs of each task of a benchmark.

    :param train: kinds of training inputs after training transforms.
    :param stored: kinds of training inputs after evaluation transforms, as in a replay memory.
    :param test: kinds of test inputs after evaluation transforms.
    :param extremes: smallest and largest value of integer inputs in memory; ``None`` for others.
    """

    train: tuple[InputKind, ...]
    stored: tuple[InputKind, ...]
    test: tuple[InputKind, ...]
    extremes: tuple[int, int] | None = None


def kind_of(x: Any) -> InputKind:
    """Return the kind of one input.

    :raises InputError: if the input is not a tensor or array of numbers, or has NaN or infinite
        numbers.
    """
    is_array = isinstance(x, np.ndarray)
    if isinstance(x, Image.Image):
        raise InputError(
            f"is a Pillow image of mode {x.mode}: give the data set a transform that makes a "
            "tensor, such as torchvision's ToTensor()"
        )
    if not (is_array or isinstance(x, Tensor)):
        raise InputError(
            f"is of type {type(x).__name__}: let the data set return one tensor or array of "
            "numbers for each input"
        )
    try:
        tensor = torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"cannot be a tensor: {first_line(error)[:200]}") from None
    if tensor.layout != torch.strided:
        raise InputError(f"is a tensor of layout {tensor.layout}: make it dense")
    if tensor.numel() == 0:
        raise InputError(f"is empty: its shape is {list(tensor.shape)}")
    if _may_be_infinite(tensor) and not bool(torch.isfinite(tensor).all()):
        raise InputError("has NaN or infinite numbers: leave the sample out or replace them")
    return InputKind(tuple(tensor.shape), tensor.dtype, is_array)


def non_finite_row(rows: Tensor, places: Tensor | None) -> int | None:
    """Return the index of the first row with NaN or infinite numbers; ``None`` without such rows.

    :param rows: inputs ``[N, ...]``.
    :param places: indices of the rows to check, ``[n]``; all rows if ``None``.
    """
    number = len(rows) if places is None else len(places)
    if number == 0 or not _may_be_infinite(rows):
        return None
    step = max(1, _CHUNK // max(1, rows[0].numel()))
    for start in range(0, number, step):
        stop = min(start + step, number)
        chunk = rows[start:stop]
        if places is not None:
            chunk = rows.index_select(0, places[start:stop].to(rows.device))
        finite = torch.isfinite(chunk).reshape(stop - start, -1).all(dim=1)
        if not bool(finite.all()):
            return start + int((~finite).nonzero()[0, 0])
    return None


def extremes_of(rows: Tensor, places: Tensor | None) -> tuple[int, int] | None:
    """Return the smallest and the largest value of integer inputs; ``None`` for other types.

    :param rows: inputs ``[N, ...]``.
    :param places: indices of the rows to check, ``[n]``; all rows if ``None``.
    """
    if rows.dtype == torch.bool or _may_be_infinite(rows):
        return None
    low, high = torch.aminmax(rows if places is None else rows[places.to(rows.device)])
    return int(low), int(high)


def _may_be_infinite(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
