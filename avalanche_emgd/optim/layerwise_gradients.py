"""Gradients of linear layers as sums of outer products, which need not be laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .gramian import exact, gramian_of
from .objective_gradients import ObjectiveGradients

__all__ = ["LayerwiseGradients", "OuterProducts"]


@dataclass(frozen=True)
class OuterProducts:
    """Gradients of a linear layer's weight: Gᵀ A, with an objective's rows of both.

    :param start: where the weight starts in the flat space.
    :param inputs: A, what went into the layer, ``[N, in]``.
    :param slopes: G, what came back to its outputs, ``[N, out]``.
    """

    start: int
    inputs: Tensor
    slopes: Tensor

    @property
    def stop(self) -> int:
        """Where the weight ends in the flat space."""
        return self.start + self.inputs.shape[1] * self.slopes.shape[1]


class LayerwiseGradients(ObjectiveGradients):
    r"""Gradients of which the large pieces stay outer products.

    The inner product of two such pieces is that of the samples they are sums over,

    .. math:: \langle G_i^T A_i, G_j^T A_j \rangle = \sum_{a \in i,\, b \in j}
        \langle A_a, A_b \rangle \, \langle G_a, G_b \rangle,

    and the weighted sum of all n is a single product, (diag(w) G)ᵀ A: the cost does not depend on
    n, and n gradients are never held.

    :param sizes: samples of each objective; N in all.
    :param outer: pieces that are outer products.
    :param dense: ``[n, D]``, the others, laid out.
    :param places: where each of the others starts in the flat space, in ascending order, and how
        long it is; D in all.
    :param size: P, elements of the flat space.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        outer: Sequence[OuterProducts],
        dense: Tensor,
        places: Sequence[tuple[int, int]],
        size: int,
    ) -> None:
        self._sizes = list(sizes)
        self._outer = outer
        self._dense = dense
        self._places = places
        self._size = size
        self._rows: Tensor | None = None

    @property
    def rows(self) -> Tensor:
        """See :attr:`ObjectiveGradients.rows`."""
        if self._rows is None:
            self._rows = self._dense.new_empty(len(self._sizes), self._size)
            offset = 0
            for start, length in self._places:
                self._rows[:, start : start + length] = self._dense[:, offset : offset + length]
                offset += length
            for each in self._outer:
                pieces = zip(
                    each.inputs.split(self._sizes), each.slopes.split(self._sizes), strict=True
                )
                for row, (into, back) in zip(self._rows, pieces, strict=True):
                    row[each.start : each.stop] = (back.T @ into).reshape(-1)
        return self._rows

    def gramian(self, num_shared: int) -> Tensor:
        """See :meth:`ObjectiveGradients.gramian`."""
        shared = sum(length for start, length in self._places if start < num_shared)
        found = gramian_of(self._dense[:, :shared])
        products = [
            gramian_of(each.inputs) * _exact_gramian(each.slopes)
            for each in self._outer
            if each.start < num_shared
        ]
        if products:
            found = found + self._summed(sum(products[1:], products[0]))
        return found

    def _summed(self, products: Tensor) -> Tensor:
        """From products of samples ``[N, N]`` to those of objectives ``[n, n]``."""
        n, (first, *others) = len(self._sizes), self._sizes
        if all(size == first for size in others):
            return products.view(n, first, n, first).sum(dim=(1, 3))
        columns = torch.stack([part.sum(dim=1) for part in products.split(self._sizes, dim=1)])
        return torch.stack([part.sum(dim=1) for part in columns.split(self._sizes, dim=1)])

    def combine(self, weights: Tensor, num_shared: int) -> Tensor:
        """See :meth:`ObjectiveGradients.combine`."""
        update = self._dense.new_empty(self._size)
        # First the dtype, then the device: not every device knows float64.
        factors = weights.to(update.dtype).to(update.device)
        weighted = factors @ self._dense
        offset = 0
        for start, length in self._places:
            piece = slice(offset, offset + length)
            shared = start < num_shared
            found = weighted[piece] if shared else self._dense[:, piece].sum(dim=0)
            update[start : start + length] = found
            offset += length
        of_sample = self._of_sample(factors)[:, None]
        for each in self._outer:
            slopes = each.slopes * of_sample if each.start < num_shared else each.slopes
            into = update[each.start : each.stop].view(slopes.shape[1], -1)
            torch.mm(slopes.T, each.inputs, out=into)
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
        self._dense.div_(scale)
        for each in self._outer:
            each.slopes.div_(scale)


def _exact_gramian(vectors: Tensor) -> Tensor:
    """Inner products ``[N, N]`` of vectors ``[N, d]``, however small some of them are."""
    exactly = exact(vectors)
    return exactly @ exactly.T
