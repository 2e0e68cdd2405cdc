"""Losses of all objectives at once, where they are plain means of cross-entropies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import CrossEntropyLoss, functional

from ..gradients.fitness import has_hooks

__all__ = ["is_mean_cross_entropy", "mean_cross_entropies"]

_FORWARD = CrossEntropyLoss.forward


def is_mean_cross_entropy(criterion: Any) -> bool:
    """Whether a criterion is the mean of the cross-entropies of samples, and nothing else."""
    return (
        type(criterion) is CrossEntropyLoss
        and CrossEntropyLoss.forward is _FORWARD
        and "forward" not in vars(criterion)
        and not has_hooks(criterion)
        and criterion.weight is None
        and criterion.reduction == "mean"
        and criterion.label_smoothing == 0.0
    )


def mean_cross_entropies(
    criterion: CrossEntropyLoss, outputs: Tensor, targets: Tensor, sizes: Sequence[int]
) -> Tensor:
    """Mean cross-entropy of each of n successive groups of samples, ``[n]``.

    :param criterion: loss whose ``ignore_index`` is left out of the means.
    :param outputs: ``[B, K]``.
    :param targets: ``[B]``, integers.
    :param sizes: of the groups, B in all.
    """
    ignored = criterion.ignore_index
    values = functional.cross_entropy(outputs, targets, ignore_index=ignored, reduction="none")
    counted = (targets != ignored).to(values.dtype)
    if len(set(sizes)) == 1:
        n = len(sizes)
        return values.view(n, -1).sum(dim=1) / counted.view(n, -1).sum(dim=1)
    groups = zip(values.split(list(sizes)), counted.split(list(sizes)), strict=True)
    return torch.stack([group.sum() / count.sum() for group, count in groups])
