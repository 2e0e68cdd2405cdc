"""Division of labelled samples into training and test samples, class by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["divide"]


def divide(
    labels: Sequence[int], share: float, seed: int, refuse: Callable[[int], str]
) -> tuple[list[int], list[int]]:
    """Draw the test samples of each class at random.

    Of a class with n samples, ``round(share · n)`` are test samples, limited to 1..n − 1.

    :param labels: class label of each sample.
    :param share: share of test samples, in (0, 1).
    :param seed: seed of the random division, ≥ 0.
    :param refuse: function from the label of a class with a single sample to an error message.
    :return: indices of the training and of the test samples, each ascending.
    :raises ValueError: if a class has a single sample.
    """
    generator = np.random.default_rng(seed)
    known = np.asarray(labels)
    test = np.zeros(len(known), dtype=bool)
    for label in np.unique(known).tolist():
        own = np.flatnonzero(known == label)
        if len(own) < 2:
            raise ValueError(refuse(label))
        number = min(max(1, round(share * len(own))), len(own) - 1)
        test[generator.permutation(own)[:number]] = True
    return np.flatnonzero(~test).tolist(), np.flatnonzero(test).tolist()
