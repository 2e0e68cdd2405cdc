"""Random divisions of classes into tasks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._whole_numbers import is_whole


def check_random_seed(seed: Any) -> None:
    """Check a seed from which label sets or a time line are drawn.

    :raises ValueError: if it is no integer ≥ 0.
    """
    if not is_whole(seed) or seed < 0:
        raise ValueError(
            f"`seed` must be an integer ≥ 0 where label sets or a time line are random, found "
            f"{seed!r}."
        )


def random_label_sets(num_classes: int, num_tasks: int, seed: int) -> list[list[int]]:
    """Divide shuffled classes into tasks of equal size, the last ones one larger if need be.

    :raises ValueError: if there are more tasks than classes, or none, or the seed is negative.
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
