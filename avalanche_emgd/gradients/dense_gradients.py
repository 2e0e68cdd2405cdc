"""Gradients in pieces of memory that are written at every tick."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .gramian import GramianOf

__all__ = ["DenseGradients", "Piece"]


class Piece:
    """Gradients by successive parameters.

    :param start: first element in the flat space.
    :param length: number of elements of one gradient.
    :param padded: memory ``[n, length or more]``, with zeros after each gradient.
    """

    def __init__(self, start: int, length: int, padded: Tensor) -> None:
        self.start, self.stop = start, start + length
        self.padded = padded
        self.rows: Tensor = padded[:, :length]
        """``[n, length]``."""


class DenseGradients:
    """Gradients in several pieces, with their part of the Gramian and of the weighted sum.

    :param pieces: pieces of the flat space, in its order; they need not cover it.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = list(pieces)
        self._num_shared = -1
        self._gramian: GramianOf
        self._weighted: list[tuple[Tensor, slice]] = []
        self._summed: list[tuple[Tensor, slice]] = []

    def gramian(self, num_shared: int) -> Tensor:
        """Inner products over the first ``num_shared`` elements, ``[n, n]`` float64."""
        self._cut(num_shared)
        return self._gramian()

    def combine(self, factors: Tensor, num_shared: int, update: Tensor) -> None:
        """Write the weighted sum over the first ``num_shared`` elements, the sum over the rest.

        :param factors: factors ``[n]``, in the dtype of the gradients.
        :param update: result ``[P]``, written in place.
        """
        self._cut(num_shared)
        for columns, place in self._weighted:
            torch.mv(columns, factors, out=update[place])
        for rows, place in self._summed:
            torch.sum(rows, dim=0, out=update[place])

    def divide(self, scale: float) -> None:
        """Divide all of them by a number, in place."""
        for piece in self.pieces:
            piece.rows.div_(scale)

    def _cut(self, num_shared: int) -> None:
        """Cut the pieces where the shared elements end; the same place at all ticks."""
        if num_shared == self._num_shared:
            return
        self._num_shared = num_shared
        self._weighted, self._summed, shared = [], [], []
        for piece in self.pieces:
            end = min(max(num_shared, piece.start), piece.stop)
            length = end - piece.start
            shared.append(piece.padded if end == piece.stop else piece.rows[:, :length])
            if piece.start < end:
                self._weighted.append((piece.rows[:, :length].T, slice(piece.start, end)))
            if end < piece.stop:
                self._summed.append((piece.rows[:, length:], slice(end, piece.stop)))
        if shared:
            self._gramian = GramianOf(shared)
