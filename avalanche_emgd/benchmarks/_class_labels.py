"""Class labels of training and test samples, and the names of the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._labels import labels_of

__all__ = ["check_classes", "class_labels"]

_SHOWN = 20


def class_labels(
    arrays: Sequence[Any], owners: Sequence[str]
) -> tuple[list[list[int]], dict[int, str]]:
    """Convert arrays of labels into integers, and name the classes.

    Text labels are numbered in alphabetical order.

    :param arrays: labels of the training and of the test samples, ``[N]`` or ``[N, 1]``, whole
        numbers or text.
    :param owners: names of the two arrays, for error messages.
    :return: labels of the training and of the test samples, and the name of each label.
    :raises ValueError: if a value is not a class label; the message names the first one.
    """
    arrays = tuple(y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y for y in arrays)
    if all(y.dtype.kind == "U" and y.ndim == 1 for y in arrays):
        words, numbers = np.unique(np.concatenate(arrays), return_inverse=True)
        start = len(arrays[0])
        return [numbers[:start].tolist(), numbers[start:].tolist()], dict(enumerate(words.tolist()))
    labels = [labels_of(y, owner) for y, owner in zip(arrays, owners, strict=True)]
    return labels, {label: str(label) for own in labels for label in own}


def check_classes(
    labels: Sequence[Sequence[int]],
    names: Mapping[int, str],
    places: tuple[str, str],
    subject: str = "There are",
) -> None:
    """Check that the training and the test samples have the same classes.

    :param labels: labels of the training and of the test samples.
    :param names: names of the classes by label.
    :param places: descriptions of the training and of the test labels, for error messages.
    :param subject: beginning of the error message, with a verb.
    :raises ValueError: if only the training or only the test samples have a class.
    """
    found = [set(own) for own in labels]
    for here, there in ((1, 0), (0, 1)):
        alone = sorted(found[here] - found[there])
        if alone:
            shown = ", ".join(names.get(label, str(label)) for label in alone[:_SHOWN])
            raise ValueError(
                f"{subject} classes in {places[here]} that are missing in {places[there]}: {shown}"
                f"{' ...' if len(alone) > _SHOWN else ''}."
            )
