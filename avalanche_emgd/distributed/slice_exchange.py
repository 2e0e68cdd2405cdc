"""Exchange of gradients of single objectives for a slice of the gradients of all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ..gradients import ObjectiveGradients
from ..gradients.dense_gradients import DenseGradients, Piece
from ..gradients.workspace import Workspace
from .processes import Processes

__all__ = ["SliceExchange", "slice_bounds"]


def slice_bounds(size: int, processes: int) -> list[int]:
    """Bounds of W slices of a vector, ``W + 1`` numbers; the last slices may be shorter.

    :param size: P, elements of the vector.
    :param processes: number W of slices.
    """
    length = -(-size // processes)
    return [min(size, w * length) for w in range(processes + 1)]


class SliceExchange:
    """Exchange of rows of the gradients for slices, in memory that successive ticks reuse.

    :param processes: processes that hold the rows.
    """

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        """Processes that hold the rows."""
        self._sent, self._received, self._summed = Workspace(), Workspace(), Workspace()
        self._dense: DenseGradients | None = None

    def __getstate__(self) -> dict[str, Any]:
        """State without the memory."""
        return {**vars(self), "_dense": None}

    def slice_of_all(
        self,
        own: ObjectiveGradients | None,
        objectives: Sequence[Sequence[int]],
        n: int,
        parameters: Sequence[Tensor],
    ) -> DenseGradients:
        """Exchange rows; the next call reuses the memory of the result.

        :param own: rows of this process, of P elements; ``None`` without samples.
        :param objectives: objectives of the rows of each process.
        :param n: number of objectives.
        :param parameters: parameters with P elements in all.
        :return: slice of the gradients of all n objectives, as a piece that starts at 0.
        """
        rank, like = self.processes.rank, parameters[0].detach()
        bounds = slice_bounds(sum(p.numel() for p in parameters), self.processes.size)
        lengths = [stop - start for start, stop in pairwise(bounds)]
        sent = [len(objectives[rank]) * each for each in lengths]
        pieces = self._sent.take(sum(sent), like)[: sum(sent)]
        if own is not None:
            for piece, (start, stop) in zip(pieces.split(sent), pairwise(bounds), strict=True):
                own.write_columns(start, stop, piece.view(len(objectives[rank]), stop - start))
        length = lengths[rank]
        received = [len(each) * length for each in objectives]
        found = self._received.take(sum(received), like)[: sum(received)]
        self.processes.exchange(pieces, sent, received, "gradients", found)
        order = [k for each in objectives for k in each]
        return self._as_dense(self._summed_rows(found.view(len(order), length), order, n))

    def _summed_rows(self, rows: Tensor, order: Sequence[int], n: int) -> Tensor:
        """Sum the rows of each objective, ``[n, length]``."""
        length = rows.shape[1]
        if list(order) == list(range(n)):
            return rows
        part = self._summed.take(n * length, rows)[: n * length].view(n, length)
        if list(order) == list(range(n)) * (len(order) // n):  # each process has all objectives
            return torch.sum(rows.view(len(order) // n, n, length), dim=0, out=part)
        part.zero_()
        return part.index_add_(0, torch.tensor(order, device=rows.device), rows)

    def _as_dense(self, part: Tensor) -> DenseGradients:
        """Return views of the slice; they are made once for each place and shape of its memory."""
        before = None if self._dense is None else self._dense.pieces[0].padded
        if before is None or (before.data_ptr(), before.shape, before.dtype) != (
            (part.data_ptr(), part.shape, part.dtype)
        ):
            self._dense = DenseGradients([Piece(0, part.shape[1], part)])
        assert self._dense is not None
        return self._dense
