"""Areas of boxes in pictures of the report."""

import numpy as np


def overlap(boxes):
    """Area that is covered more than once by boxes ``[n, 4]``."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    areas = np.clip(high - low, 0.0, None).prod(axis=2)
    return np.triu(areas, k=1).sum()
