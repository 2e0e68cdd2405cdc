"""Random divisions of classes into tasks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._numbers import is_whole


def check_random_seed(seed: Any) -> None:
    """Check the seed of random label sets or of a random time line.

    :raises ValueError: if the seed is not an integer ≥ 0.
    """
    if not is_whole(seed) or seed < 0:
        raise ValueError(
            f"`seed` must be an integer ≥ 0 where label sets or a time line are random, found "
            f"{seed!r}."
        )


def random_label_sets(num_classes: int, num_tasks: int, seed: int) -> list[list[int]]:
    """Divide shuffled classes into tasks of equal size.

    If the division has a remainder, the last tasks have one class more.

    :param num_classes: number of classes, labelled from 0.
    :param num_tasks: number of tasks, in 1..``num_classes``.
    :param seed: seed of the permutation, ≥ 0.
    :return: class labels of each task.
    :raises ValueError: if ``num_tasks`` or ``seed`` is out of range.
    """
    if not is_whole(num_tasks):
        raise ValueError(f"`num_tasks` must be an integer, found {num_tasks!r}.")
    check_random_seed(seed)
    if not 1 <= num_tasks <= num_classes:
        raise ValueError(f"`num_tasks` must be in 1..{num_classes}, found {num_tasks}.")
    classes = np.random.default_rng(seed).permutation(num_classes).tolist()
    small, larger = divmod(num_classes, num_tasks)
    label_sets, start = [], 0
    for task in range(num_tasks):
        stop = start + small + (task >= num_tasks - larger)
        label_sets.append(classes[start:stop])
        start = stop
    return label_sets
