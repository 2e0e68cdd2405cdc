"""Inputs of many samples at once, where a data set has them in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard, TypeVar

import torch
from torch import Tensor
from torch.utils.data import Subset, TensorDataset

__all__ = ["Bulk", "bulk_of", "loads_as"]

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Bulk:
    """How to load many inputs at once.

    :param root: the data set that has them in memory.
    :param load: from places ``[b]`` in it to inputs ``[b, ...]``.
    :param places: of the samples in question in the root, in their order; all if ``None``.
    :param rows: what ``load`` takes rows of, where that is all it does.
    """

    root: Any
    load: Callable[[Tensor], Tensor]
    places: Tensor | None = None
    rows: Tensor | None = None

    def at(self, indices: Tensor) -> Tensor:
        """Places in the root of the samples at these indices, ``[b]``."""
        return indices if self.places is None else self.places[indices]


def loads_as(dataset: Any, kind: type[_Kind]) -> TypeGuard[_Kind]:
    """Whether a data set is of a class of torch's, and loads samples as that class does."""
    own = getattr(type(dataset), "__getitem__", None)
    return isinstance(dataset, kind) and own is vars(kind)["__getitem__"]


def bulk_of(dataset: Any) -> Bulk | None:
    """Find out how to load many of a data set's inputs at once.

    :param dataset: a ``TensorDataset``, a data set with a method ``load_inputs`` that does just
        that, or torch's ``Subset`` of either; subclasses that load samples their own way do not
        count.
    :return: ``None`` if samples have to be loaded one by one.
    """
    if loads_as(dataset, TensorDataset):
        rows = dataset.tensors[0]
        return Bulk(dataset, partial(_taken, rows), rows=rows)
    if loads_as(dataset, Subset):
        whole = bulk_of(dataset.dataset)
        if whole is None:
            return None
        places = torch.tensor(list(dataset.indices), dtype=torch.long)
        places[places < 0] += len(dataset.dataset)  # type: ignore[arg-type]
        return Bulk(whole.root, whole.load, whole.at(places), whole.rows)
    if hasattr(dataset, "load_inputs"):
        return Bulk(dataset, dataset.load_inputs)
    return None


def _taken(rows: Tensor, places: Tensor) -> Tensor:
    # Much faster than `rows[places]`, but places must be where the rows are.
    return rows.index_select(0, places.to(rows.device))
