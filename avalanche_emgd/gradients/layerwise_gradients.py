"""Gradients in pieces, layer by layer, of which some need not be laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .dense_gradients import DenseGradients, Piece
from .gramian import exact, gramian_of
from .objective_gradients import ObjectiveGradients

__all__ = ["LayerwiseGradients", "OuterProducts"]


@dataclass(frozen=True)
class OuterProducts:
    """Gradients of a linear layer's weight: Gᵀ A, with an objective's rows of both.

    :param start: first element of the weight in the flat space.
    :param inputs: A, activations, ``[N, in]``.
    :param backprops: G, gradients by the outputs, ``[N, out]``.
    """

    start: int
    inputs: Tensor
    backprops: Tensor

    @property
    def stop(self) -> int:
        """Where the weight ends in the flat space."""
        return self.start + self.inputs.shape[1] * self.backprops.shape[1]

    def dense(self, sizes: Sequence[int]) -> Piece:
        """Compute the products.

        :param sizes: samples of each objective.
        """
        pieces = zip(self.inputs.split(list(sizes)), self.backprops.split(list(sizes)), strict=True)
        products = [(back.T @ into).reshape(-1) for into, back in pieces]
        return Piece(self.start, products[0].numel(), torch.stack(products))


class LayerwiseGradients(ObjectiveGradients):
    r"""Gradients in pieces, of which large ones may stay outer products.

    The inner product of two such pieces is that of the samples they are sums over,

    .. math:: \langle G_i^T A_i, G_j^T A_j \rangle = \sum_{a \in i,\, b \in j}
        \langle A_a, A_b \rangle \, \langle G_a, G_b \rangle,

    and the weighted sum of all n is a single product, (diag(w) G)ᵀ A. Its cost does not depend on
    n, and it never holds n gradients.

    :param sizes: samples of each objective; N in all.
    :param outer: pieces that are outer products.
    :param dense: the others; with these, they cover the flat space.
    :param size: P, elements of the flat space.
    :param like: a tensor of their dtype and device.
    :param used: one boolean for each parameter: whether a loss depends on it.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        outer: Sequence[OuterProducts],
        dense: DenseGradients,
        size: int,
        like: Tensor,
        used: Sequence[bool],
    ) -> None:
        self.used = used
        self._sizes = list(sizes)
        self.outer = outer
        """Pieces that stay outer products."""
        self._dense = dense
        self._size = size
        self._like = like
        self._rows: Tensor | None = None

    @property
    def rows(self) -> Tensor:
        """See :attr:`ObjectiveGradients.rows`."""
        if self._rows is None:
            pieces = [*self._dense.pieces, *(each.dense(self._sizes) for each in self.outer)]
            pieces.sort(key=lambda piece: piece.start)
            rows = [piece.rows for piece in pieces]
            self._rows = rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)
        return self._rows

    def write_columns(self, start: int, stop: int, out: Tensor) -> None:
        """See :meth:`ObjectiveGradients.write_columns`; dense pieces are copied only once."""
        if self.outer or self._rows is not None:
            super().write_columns(start, stop, out)
            return
        for piece in self._dense.pieces:
            low, high = max(start, piece.start), min(stop, piece.stop)
            if low < high:
                own = piece.rows[:, low - piece.start : high - piece.start]
                out[:, low - start : high - start].copy_(own)

    def row(self, k: int) -> Tensor:
        """Gradient of objective ``k`` alone, ``[P]``, without laying out the others."""
        pieces = [(piece.start, piece.rows[k]) for piece in self._dense.pieces]
        start = sum(self._sizes[:k])
        for each in self.outer:
            inputs = each.inputs[start : start + self._sizes[k]]
            backprops = each.backprops[start : start + self._sizes[k]]
            pieces.append((each.start, (backprops.T @ inputs).reshape(-1)))
        pieces.sort(key=lambda piece: piece[0])
        return torch.cat([row for _, row in pieces])

    def gramian(self, num_shared: int) -> Tensor:
        """See :meth:`ObjectiveGradients.gramian`."""
        products = [
            gramian_of(each.inputs) * _exact_gramian(each.backprops)
            for each in self.outer
            if each.start < num_shared
        ]
        if not products:
            return self._dense.gramian(num_shared)
        found = self._summed(sum(products[1:], products[0]))
        return found + self._dense.gramian(num_shared) if self._dense.pieces else found

    def _summed(self, products: Tensor) -> Tensor:
        """From products of samples ``[N, N]`` to those of objectives ``[n, n]``."""
        n, (first, *others) = len(self._sizes), self._sizes
        if all(size == first for size in others):
            return products.view(n, first, n, first).sum(dim=(1, 3))
        columns = torch.stack([part.sum(dim=1) for part in products.split(self._sizes, dim=1)])
        return torch.stack([part.sum(dim=1) for part in columns.split(self._sizes, dim=1)])

    def combine(self, weights: Tensor, num_shared: int, out: Tensor | None = None) -> Tensor:
        """See :meth:`ObjectiveGradients.combine`."""
        update = self._like.new_empty(self._size) if out is None else out
        # First the dtype, then the device: not every device knows float64.
        factors = weights.to(update.dtype).to(update.device)
        self._dense.combine(factors, num_shared, update)
        if self.outer:
            of_sample = self._of_sample(factors)[:, None]
        for product in self.outer:
            shared_backprops = product.start < num_shared
            backprops = product.backprops * of_sample if shared_backprops else product.backprops
            into = update[product.start : product.stop].view(backprops.shape[1], -1)
            torch.mm(backprops.T, product.inputs, out=into)
        return update

    def _of_sample(self, factors: Tensor) -> Tensor:
        """From one number per objective to one per sample."""
        first, *others = self._sizes
        if all(size == first for size in others):
            return factors.repeat_interleave(first)
        repeats = torch.tensor(self._sizes, device=factors.device)
        return torch.repeat_interleave(factors, repeats, output_size=sum(self._sizes))

    def divide(self, scale: float) -> None:
        """See :meth:`ObjectiveGradients.divide`."""
        self._rows = None
        self._dense.divide(scale)
        # Not in place: the graph may give several layers the same tensor.
        self.outer = [replace(each, backprops=each.backprops / scale) for each in self.outer]


def _exact_gramian(vectors: Tensor) -> Tensor:
    """Inner products ``[N, N]`` of vectors ``[N, d]``, however small some of them are."""
    exactly = exact(vectors)
    return exactly @ exactly.T
