"""What the inputs of a data set are: one shape, one type, finite numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ._text_files import first_line

__all__ = ["InputError", "InputKind", "InputKinds", "extremes_of", "kind_of", "non_finite_row"]

_CHUNK = 1 << 22  # numbers that are looked at together


class InputError(ValueError):
    """Says of one input why it cannot be used, without saying which one it is."""


@dataclass(frozen=True)
class InputKind:
    """Shape and type that all inputs of a data set have.

    :param shape: of one input.
    :param dtype: of its numbers.
    :param is_array: whether it is a NumPy array, which loaders do not mix with tensors.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    is_array: bool = False

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')} {list(self.shape)}"

    def agrees(self, other: InputKind) -> bool:
        """Whether minibatches of both can be joined."""
        return (self.shape, self.dtype) == (other.shape, other.dtype)


@dataclass(frozen=True)
class InputKinds:
    """Kinds of the inputs of each task of a benchmark.

    :param train: after training transforms.
    :param stored: training inputs after evaluation transforms, as a replay memory keeps them.
    :param test: after evaluation transforms.
    :param extremes: smallest and largest number of all inputs, where these are integers in memory.
    """

    train: tuple[InputKind, ...]
    stored: tuple[InputKind, ...]
    test: tuple[InputKind, ...]
    extremes: tuple[int, int] | None = None


def kind_of(x: Any) -> InputKind:
    """Kind of one input.

    :raises InputError: if it is neither a tensor nor an array of numbers, or has NaN or infinite
        ones.
    """
    is_array = isinstance(x, np.ndarray)
    if isinstance(x, Image.Image):
        raise InputError(
            f"is a Pillow image of mode {x.mode}: give the data set a transform that makes a "
            "tensor of it, such as torchvision's ToTensor()"
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
    """Index of the first row that has NaN or infinite numbers; ``None`` if there is none.

    :param rows: inputs ``[N, ...]``.
    :param places: of the rows in question, ``[n]``; all if ``None``.
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
    """Smallest and largest number of inputs, if they are whole numbers.

    :param rows: inputs ``[N, ...]``.
    :param places: of the rows in question, ``[n]``; all if ``None``.
    """
    if rows.dtype == torch.bool or _may_be_infinite(rows):
        return None
    low, high = torch.aminmax(rows if places is None else rows[places.to(rows.device)])
    return int(low), int(high)


def _may_be_infinite(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
