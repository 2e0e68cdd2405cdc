"""Scaling of the feature columns of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

__all__ = ["ScaledRows", "Scaling", "scaled", "scaling_of"]


@dataclass(frozen=True)
class Scaling:
    """Names of F feature columns, and how they are scaled.

    :param columns: names.
    :param mean: mean of each column over the training rows; 0 for features that stay as they are.
    :param std: standard deviation of each column, > 0; 1 for features that stay as they are.
    """

    columns: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


class ScaledRows(TensorDataset):
    """Rows of a table with scaled features.

    :param features: scaled features ``[N, F]``.
    :param targets: class labels ``[N]``.
    :param scaling: names of the columns, and how they were scaled.
    """

    def __init__(self, features: Tensor, targets: Tensor, scaling: Scaling) -> None:
        super().__init__(features, targets)
        self.scaling = scaling


def scaled(features: Any, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Subtract the mean of each column, and divide by its standard deviation, in float64.

    :param features: array ``[N, F]``.
    :param mean: F means.
    :param std: F standard deviations.
    :return: float32 ``[N, F]``; infinite where single precision cannot hold a number.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        values = (np.asarray(features, dtype=np.float64) - np.array(mean)) / np.array(std)
        return torch.from_numpy(values.astype(np.float32))


def scaling_of(dataset: Any) -> Scaling | None:
    """Return the scaling of a data set of rows, or of a subset of one; ``None`` for others."""
    while dataset is not None:
        if isinstance(dataset, ScaledRows):
            return dataset.scaling
        dataset = getattr(dataset, "_dataset", None) or getattr(dataset, "dataset", None)
    return None
