"""Gradients of all objectives, of which each process holds a slice."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..gradients import ObjectiveGradients
from ..gradients.dense_gradients import DenseGradients
from .failure import ProcessError
from .processes import Processes
from .slice_exchange import slice_bounds

__all__ = ["SlicedGradients"]

_SAME = 1e-3  # relative difference of losses that rounding on two processors never makes


class SlicedGradients(ObjectiveGradients):
    """Gradients of n objectives over P elements, of which process w holds the slice w.

    The Gramian is the sum of the Gramians of the slices, n² numbers. The weighted sum is computed
    slice by slice and gathered, P numbers. All processes call the same methods.

    :param part: slice of all gradients, one piece ``[n, length]`` that starts at 0.
    :param size: P.
    :param used: one boolean for each parameter: whether a gradient of this process depends on it.
    :param check: scalar that is equal on all processes, such as the sum of the losses.
    :param processes: processes that hold the other slices.
    """

    def __init__(
        self,
        part: DenseGradients,
        size: int,
        used: Sequence[bool],
        check: Tensor,
        processes: Processes,
    ) -> None:
        self._dense, self._part, self._size = part, part.pieces[0].rows, size
        self._own_used, self._check, self._processes = list(used), check, processes
        self._used: Sequence[bool] | None = None
        self._start = slice_bounds(size, processes.size)[processes.rank]

    @property
    def used(self) -> Sequence[bool]:
        """See :attr:`ObjectiveGradients.used`."""
        if self._used is None:
            self._sum(self._part.new_empty(0, 0, dtype=torch.float64))
        assert self._used is not None
        return self._used

    @used.setter
    def used(self, used: Sequence[bool]) -> None:
        self._used = used

    @property
    def rows(self) -> Tensor:
        """See :attr:`ObjectiveGradients.rows`."""
        pieces = self._processes.gather(self._padded(self._part), "rows")
        return pieces.transpose(0, 1).reshape(len(self._part), -1)[:, : self._size]

    def row(self, k: int) -> Tensor:
        """See :meth:`ObjectiveGradients.row`."""
        pieces = self._processes.gather(self._padded(self._part[k]), "rows")
        return pieces.view(-1)[: self._size]

    def gramian(self, num_shared: int) -> Tensor:
        """See :meth:`ObjectiveGradients.gramian`."""
        return self._sum(self._dense.gramian(self._num_shared_here(num_shared)))

    def combine(self, weights: Tensor, num_shared: int, out: Tensor | None = None) -> Tensor:
        """See :meth:`ObjectiveGradients.combine`."""
        # First the dtype, then the device: not every device knows float64.
        factors = weights.to(self._part.dtype).to(self._part.device)
        longest = -(-self._size // self._processes.size)
        piece = self._part.new_empty(longest)
        length = self._part.shape[1]
        self._dense.combine(factors, self._num_shared_here(num_shared), piece[:length])
        piece[length:] = 0.0
        if out is not None and out.is_contiguous() and self._size == longest * self._processes.size:
            self._processes.gather(piece, "update", out)
            return out
        found = self._processes.gather(piece, "update").view(-1)[: self._size]
        return found if out is None else out.copy_(found)

    def _num_shared_here(self, num_shared: int) -> int:
        """Elements of the slice that are shared."""
        return min(max(0, num_shared - self._start), self._part.shape[1])

    def divide(self, scale: float) -> None:
        """See :meth:`ObjectiveGradients.divide`."""
        self._part.div_(scale)

    def _padded(self, tensor: Tensor) -> Tensor:
        """Lengthen the last dimension to that of the longest slice."""
        more = -(-self._size // self._processes.size) - tensor.shape[-1]
        return torch.nn.functional.pad(tensor, (0, more)) if more else tensor

    def _sum(self, own: Tensor) -> Tensor:
        """Sum a matrix over the processes; what else is small goes with it."""
        processes = self._processes
        requests = [processes.interruption, processes.stop]
        flags = [*self._own_used, *(request.own for request in requests)]
        small = own.new_tensor(list(map(float, flags)))
        check = self._check.detach().to(own).view(1)
        total = processes.sum(torch.cat([own.reshape(-1), check, small]), "gramian")
        matrix, summed, small = total.split([own.numel(), 1, len(small)])
        flags = (small > 0.0).tolist()
        used = flags[: len(self._own_used)]
        for request, flag in zip(requests, flags[len(used) :], strict=True):
            request.common = flag
        mean, right = float(summed) / processes.size, float(check)
        if math.isfinite(mean) and not abs(mean - right) <= _SAME * abs(right):
            raise ProcessError(
                f"processes have different losses, {right:.6g} in all on process "
                f"{processes.rank} and {mean:.6g} on average: make data, model and strategy "
                "from the same settings and seeds on all processes."
            )
        self._used = used
        return matrix.view(own.shape)
