"""Batches or outputs of successive objectives that are pieces of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from torch import Tensor

__all__ = ["Joined"]


class Joined(Sequence[Any]):
    """Pieces of a tensor, or of several along their first dimension; cut when first asked for.

    :param whole: ``[N, ...]``, or a tuple of such, whose pieces are then tuples.
    :param sizes: of the pieces, N in all.
    """

    def __init__(self, whole: Any, sizes: Sequence[int]) -> None:
        self.whole: Any = whole
        """What the pieces are of."""
        self.sizes: list[int] = list(sizes)
        """Samples of each."""

    @cached_property
    def _pieces(self) -> list[Any]:
        if isinstance(self.whole, Tensor):
            return list(self.whole.split(self.sizes))
        return list(zip(*(column.split(self.sizes) for column in self.whole), strict=True))

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: Any) -> Any:
        return self._pieces[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pieces)
