"""Loading of many inputs at once from data sets in memory."""

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
    """Function that loads many inputs at once, and the indices that it needs.

    :param root: data set that holds the inputs in memory.
    :param load: function from indices ``[b]`` in the root to inputs ``[b, ...]``.
    :param places: indices in the root of the samples, in their order; all samples if ``None``.
    :param rows: tensor ``[N, ...]`` whose rows are the inputs, if ``load`` only selects rows.
    """

    root: Any
    load: Callable[[Tensor], Tensor]
    places: Tensor | None = None
    rows: Tensor | None = None

    def at(self, indices: Tensor) -> Tensor:
        """Return the indices in the root, ``[b]``, of the samples at ``indices``."""
        return indices if self.places is None else self.places[indices]


def loads_as(dataset: Any, kind: type[_Kind]) -> TypeGuard[_Kind]:
    """Whether a data set is an instance of ``kind`` and inherits its ``__getitem__`` unchanged."""
    own = getattr(type(dataset), "__getitem__", None)
    return isinstance(dataset, kind) and own is vars(kind)["__getitem__"]


def bulk_of(dataset: Any) -> Bulk | None:
    """Find a function that loads many of a data set's inputs at once.

    :param dataset: any data set. Inputs load at once from a ``TensorDataset``, from a data set with
        a method ``load_inputs``, and from torch's ``Subset`` of either. Subclasses with their own
        ``__getitem__`` load one by one.
    :return: the function and its indices; ``None`` if samples load one by one.
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
    # `index_select` is much faster than `rows[places]`, but needs both on one device.
    return rows.index_select(0, places.to(rows.device))
