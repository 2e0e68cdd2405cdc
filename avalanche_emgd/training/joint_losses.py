"""Losses of all objectives at once, where they are plain means of cross-entropies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import CrossEntropyLoss, functional

__all__ = ["is_mean_cross_entropy", "mean_cross_entropies"]


def is_mean_cross_entropy(criterion: Any) -> bool:
    """Whether a criterion is the mean of the cross-entropies of samples, and nothing else."""
    return (
        type(criterion) is CrossEntropyLoss
        and criterion.weight is None
        and criterion.reduction == "mean"
        and criterion.label_smoothing == 0.0
    )


def mean_cross_entropies(outputs: Tensor, targets: Tensor, sizes: Sequence[int]) -> Tensor:
    """Mean cross-entropy of each of n successive groups of samples, ``[n]``.

    :param outputs: ``[B, K]``.
    :param targets: ``[B]``.
    :param sizes: of the groups, B in all.
    """
    values = functional.cross_entropy(outputs, targets, reduction="none")
    if len(set(sizes)) == 1:
        return values.view(len(sizes), -1).mean(dim=1)
    return torch.stack([group.mean() for group in values.split(list(sizes))])
