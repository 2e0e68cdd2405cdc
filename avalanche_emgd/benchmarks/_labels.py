"""Conversion of class labels into Python integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "as_label",
    "checked_label_sets",
    "first_difference",
    "is_plain",
    "labels_of",
    "no_label",
]


class TooLargeError(ValueError):
    """A whole number that is no class label, because it has more than 64 bits."""


def as_label(target: Any) -> int:
    """Convert the target of one sample into a class label.

    :param target: integer, boolean or floating-point whole number of Python, NumPy or torch, or a
        tensor or array of one such element.
    :raises ValueError: if ``target`` is not a class label; the message describes it.
    """
    if isinstance(target, (Tensor, np.ndarray)):
        if target.size != 1 if isinstance(target, np.ndarray) else target.numel() != 1:
            raise ValueError(f"a target of shape {tuple(target.shape)}")
        target = target.item()
    whole = isinstance(target, (float, np.floating)) and float(target).is_integer()
    if whole or isinstance(target, (bool, int, np.bool_, np.integer)):
        label = int(target)
        if -(2**63) <= label < 2**63:
            return label
        raise TooLargeError(str(label)[:60])
    raise ValueError(repr(target.item() if isinstance(target, np.generic) else target)[:60])


def is_plain(target: Any) -> bool:
    """Whether torch's ``default_collate`` makes an int64 tensor ``[b]`` from such targets."""
    if isinstance(target, Tensor):
        return target.ndim == 0 and target.dtype == torch.int64
    return isinstance(target, (int, np.int64)) and not isinstance(target, bool)


def labels_of(targets: Any, name: str) -> list[int]:
    """Convert the targets of many samples into class labels; see :func:`as_label`.

    :param targets: tensor or array ``[N]`` or ``[N, 1]``, or a sequence of N targets.
    :param name: name of the data, for error messages.
    :raises ValueError: if a target is not a class label; the message names the first such sample.
    """
    if isinstance(targets, Tensor):
        targets = targets.detach().cpu()
        # NumPy has no bfloat16.
        targets = (targets.double() if targets.is_floating_point() else targets).numpy()
    if isinstance(targets, np.ndarray):
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = targets[:, 0]
        fits = targets.dtype.kind in "bi" or (
            targets.dtype.kind == "u" and targets.dtype.itemsize < 8
        )
        if targets.ndim == 1 and fits:
            found: list[int] = targets.astype(np.int64).tolist()
            return found
        if targets.ndim == 0:
            raise ValueError(f"`{name}` must have a class label for each sample, found one in all.")
    elif isinstance(targets, list) and all(
        type(target) is int and -(2**63) <= target < 2**63 for target in targets
    ):
        return targets[:]
    return [_label_at(index, target, name) for index, target in enumerate(targets)]


def _label_at(index: int, target: Any, name: str) -> int:
    try:
        return as_label(target)
    except ValueError as error:
        raise ValueError(no_label(name, index, error)) from None


def no_label(name: str, index: int, found: object) -> str:
    """Return the error message for a target that is not a class label."""
    if isinstance(found, TooLargeError):
        return (
            f"`{name}` must have class labels of 64 bits with sign, found {found} at index "
            f"{index}: number the classes 0, 1, 2, ..."
        )
    return (
        f"`{name}` must have integer class labels, one for each sample, found {found} at index "
        f"{index}: replace one-hot vectors by their argmax. There is no regression, and a sample "
        "has one label."
    )


def checked_label_sets(label_sets: Iterable[Any], name: str = "label_sets") -> list[list[int]]:
    """Convert label sets into lists of integers.

    :param label_sets: sequence of lists, tuples, sets, ranges, tensors or arrays.
    :param name: name of the argument, for error messages.
    :raises ValueError: if an entry is not a set of integers; the message names the entry.
    """
    try:
        entries = list(label_sets)
    except TypeError:
        raise ValueError(
            f"`{name}` must be a sequence of label sets, found {type(label_sets).__name__}."
        ) from None
    return [_label_set(labels, f"{name}[{task}]") for task, labels in enumerate(entries)]


def _label_set(labels: Any, name: str) -> list[int]:
    try:
        if isinstance(labels, (str, bytes, dict)):
            raise TypeError
        return [as_label(label) for label in labels]
    except (TypeError, ValueError):
        raise ValueError(
            f"`{name}` must be a set of integer class labels, found {str(labels)[:60]!r}."
        ) from None


def first_difference(one: Sequence[int], other: Sequence[int]) -> int | None:
    """Return the first index at which two label lists differ; ``None`` if they are equal."""
    if one == other:
        return None
    return next(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
