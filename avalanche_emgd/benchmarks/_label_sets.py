"""Random divisions of classes into tasks."""

from __future__ import annotations

import numpy as np


def random_label_sets(num_classes: int, num_tasks: int, seed: int) -> list[list[int]]:
    """Divide shuffled classes into tasks of equal size, the last ones one larger if need be.

    :raises ValueError: if there are more tasks than classes, or none.
    """
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
