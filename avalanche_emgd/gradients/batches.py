"""Batches or outputs of successive objectives that are pieces of one tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

__all__ = ["Batches", "Pieces", "has_rows", "join", "versions_of"]


class Pieces(Sequence[Any]):
    """Pieces of a tensor, or of several along their first dimension; cut at the first use.

    Each piece can be modified in place. Pieces of a tensor in a graph are copies. Others share its
    memory, but not its count of modifications.

    :param whole: tensor ``[N, ...]``, or a tuple of such, whose pieces are then tuples.
    :param sizes: sizes of the pieces, N in all.
    """

    def __init__(self, whole: Any, sizes: Sequence[int]) -> None:
        self.whole: Any = whole
        """Tensor or tensors that are cut."""
        self.sizes: list[int] = list(sizes)
        """Samples of each piece."""

    @cached_property
    def _pieces(self) -> list[Any]:
        if isinstance(self.whole, Tensor):
            return _cut(self.whole, self.sizes)
        return list(zip(*(_cut(column, self.sizes) for column in self.whole), strict=True))

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: Any) -> Any:
        return self._pieces[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pieces)


class Batches(Pieces):
    """Batches of the objectives of a tick.

    Objectives of one group share a minibatch, which is forwarded as one batch: batch norm
    normalises their samples together.

    :param whole: tensor ``[N, ...]``, or a tuple of such, whose pieces are then tuples.
    :param sizes: sizes of the pieces, N in all.
    :param groups: number of successive objectives in each group; one in each if omitted.
    :raises ValueError: if the groups do not cover the objectives.
    """

    def __init__(
        self, whole: Any, sizes: Sequence[int], groups: Sequence[int] | None = None
    ) -> None:
        super().__init__(whole, sizes)
        self.groups: list[int] = [1] * len(self.sizes) if groups is None else list(groups)
        """Number of objectives in each group."""
        if sum(self.groups) != len(self.sizes) or min(self.groups, default=1) < 1:
            raise ValueError(
                f"`groups` must be positive and cover {len(self.sizes)} objectives, found "
                f"{self.groups!r}."
            )

    def merged(self, groups: Sequence[int]) -> Pieces:
        """Batches of successive groups of objectives, each in one piece.

        :param groups: number of objectives in each.
        """
        sizes = iter(self.sizes)
        return Pieces(self.whole, [sum(next(sizes) for _ in range(each)) for each in groups])


def _cut(whole: Tensor, sizes: list[int]) -> list[Tensor]:
    if whole.requires_grad:
        return list(torch.ops.aten.split_with_sizes_copy(whole, sizes))
    return [piece.data for piece in whole.split(sizes)]


def versions_of(batches: Sequence[Any]) -> list[int]:
    """How often the tensors of batches have been modified in place."""
    columns = [[batch] if isinstance(batch, Tensor) else batch for batch in batches]
    return [tensor._version for column in columns for tensor in column]


def join(batches: Sequence[Any]) -> Batches | None:
    """Put batches one after the other; ``None`` where that is not possible without loss.

    :param batches: one batch at least.
    """
    if isinstance(batches, Batches):
        return batches
    first = batches[0]
    if isinstance(first, Tensor):
        whole = _column(batches)
        return None if whole is None else Batches(whole, list(map(len, batches)))
    if type(first) not in (tuple, list) or not first:
        return None
    if any(type(batch) is not type(first) or len(batch) != len(first) for batch in batches):
        return None
    columns = [_column(column) for column in zip(*batches, strict=True)]
    if any(column is None for column in columns):
        return None
    sizes = [len(batch[0]) for batch in batches]
    if any(len(each) != size for batch, size in zip(batches, sizes, strict=True) for each in batch):
        return None
    return Batches(tuple(columns), sizes)


def _column(tensors: Sequence[Any]) -> Tensor | None:
    first = tensors[0]
    if not has_rows(first):
        return None
    kind = (first.dtype, first.device, first.shape[1:])
    for each in tensors:
        # `torch.cat` would convert other dtypes, which a pass of their own does not.
        if type(each) is not type(first) or not has_rows(each):
            return None
        if (each.dtype, each.device, each.shape[1:]) != kind:
            return None
    return torch.cat(list(tensors))


def has_rows(tensor: Any) -> bool:
    """Whether something is an ordinary tensor with a first dimension."""
    return (
        isinstance(tensor, Tensor)
        and tensor.layout is torch.strided
        and not tensor.is_nested
        and not tensor.is_inference()
        and tensor.ndim > 0
    )
