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
    """Labels of the training and the test samples, and the names of the classes.

    Text is numbered in alphabetical order.

    :param arrays: ``[N]`` or ``[N, 1]``, whole numbers or text.
    :param owners: names of both, for messages.
    :raises ValueError: if they are no class labels; names the first that is none.
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

    :param labels: of both.
    :param names: of the classes.
    :param places: where the labels of both are, for messages.
    :param subject: with a verb, as messages begin.
    :raises ValueError: if a class is in one of them only.
    """
    found = [set(own) for own in labels]
    for here, there in ((1, 0), (0, 1)):
        alone = sorted(found[here] - found[there])
        if alone:
            shown = ", ".join(names.get(label, str(label)) for label in alone[:_SHOWN])
            raise ValueError(
                f"{subject} classes in {places[here]} that {places[there]} has not: {shown}"
                f"{' ...' if len(alone) > _SHOWN else ''}."
            )
