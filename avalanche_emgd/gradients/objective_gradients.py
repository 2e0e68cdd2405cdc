"""One gradient per objective, their Gramian and their weighted sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from .gramian import gramian_of

__all__ = ["ObjectiveGradients", "StackedGradients"]


class ObjectiveGradients(ABC):
    """One gradient per objective over a flat space of P elements.

    Multi-gradient descent needs only their Gramian and their weighted sum. An engine may compute
    both without ever holding n gradients.
    """

    used: Sequence[bool] = ()
    """For each parameter of the space, whether a loss depends on it."""

    @property
    @abstractmethod
    def rows(self) -> Tensor:
        """The gradients themselves, ``[n, P]``; made at the first use."""

    def row(self, k: int) -> Tensor:
        """Gradient of objective ``k``, ``[P]``; the others are laid out only where they must be."""
        return self.rows[k]

    def write_columns(self, start: int, stop: int, out: Tensor) -> None:
        """Write the elements ``start:stop`` of all gradients.

        :param start: first element.
        :param stop: end of the elements.
        :param out: result, where to, ``[n, stop - start]``.
        """
        out.copy_(self.rows[:, start:stop])

    @abstractmethod
    def gramian(self, num_shared: int) -> Tensor:
        """Inner products of all pairs over the first ``num_shared`` elements.

        :return: ``[n, n]`` float64, on the device of the gradients where it knows float64.
        """

    @abstractmethod
    def combine(self, weights: Tensor, num_shared: int, out: Tensor | None = None) -> Tensor:
        """Weighted sum over the first ``num_shared`` elements, plain sum over the rest.

        :param weights: weights ``[n]``.
        :param out: result ``[P]``; a new tensor if omitted.
        :return: ``[P]`` in the dtype of the gradients.
        """

    @abstractmethod
    def divide(self, scale: float) -> None:
        """Divide all of them by a number, in place."""


class StackedGradients(ObjectiveGradients):
    """Gradients that are laid out, one below the other.

    :param rows: rows ``[n, P]``.
    :param used: one boolean for each parameter: whether a loss depends on it.
    """

    def __init__(self, rows: Tensor, used: Sequence[bool] = ()) -> None:
        self._rows = rows
        self.used = used

    @property
    def rows(self) -> Tensor:
        """See :attr:`ObjectiveGradients.rows`."""
        return self._rows

    def gramian(self, num_shared: int) -> Tensor:
        """See :meth:`ObjectiveGradients.gramian`."""
        return gramian_of(self._rows[:, :num_shared])

    def combine(self, weights: Tensor, num_shared: int, out: Tensor | None = None) -> Tensor:
        """See :meth:`ObjectiveGradients.combine`."""
        update = self._rows.new_empty(self._rows.shape[1]) if out is None else out
        # First the dtype, then the device: not every device knows float64.
        factors = weights.to(self._rows.dtype).to(self._rows.device)
        torch.mv(self._rows.T, factors, out=update)
        if num_shared < len(update):
            torch.sum(self._rows[:, num_shared:], dim=0, out=update[num_shared:])
        return update

    def divide(self, scale: float) -> None:
        """See :meth:`ObjectiveGradients.divide`."""
        self._rows.div_(scale)
