"""Running statistics of batch norm, as one process has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..gradients.batch_norm import is_batch_norm, tracks
from ..gradients.model_structure import modules_of

__all__ = ["BatchStatistics"]


class BatchStatistics:
    r"""Running statistics that several processes update at one tick.

    A pass over a batch with the statistic s and the momentum m takes the running statistic r to
    (1 − m) r + m s. k passes are an affine map, r ↦ a r + b with a = (1 − m)ᵏ. Each process knows r
    before and after its passes, and hence b. The maps of the processes, one after the other in the
    order of the objectives, give the statistics of one process. For ``momentum=None``, the
    cumulative average, a depends on the number of batches so far.

    Where processes have parts of objectives, the statistics of a part are not those of the
    objective. Each process then counts with its share of the samples.

    :param module: model.
    """

    def __init__(self, module: nn.Module) -> None:
        self._layers: list[Any] = [each for each in modules_of(module) if is_batch_norm(each)]
        self._kept: list[Any] = []
        self._before: Tensor | None = None

    def save(self) -> bool:
        """Note the statistics before the passes; return whether there are any.

        The answer is the same on all processes.
        """
        self._kept = [layer for layer in self._layers if tracks(layer)]
        if not self._kept:
            return False
        self._before, self._counts = self._values(), self._numbers()
        return True

    def own(self) -> Tensor:
        """Return the statistics after the passes of this process, and the numbers of passes."""
        assert self._before is not None
        counts = self._numbers() - self._counts
        return torch.cat([self._values(), counts.to(self._before)])

    def settle(self, found: Tensor, samples: Sequence[int], *, whole: bool) -> None:
        """Replace the statistics after the passes of this process by those of all processes.

        :param found: results of :meth:`own` of all W processes, ``[W, ...]``.
        :param samples: number of samples of each of the W processes.
        :param whole: whether each process has had whole objectives, in the order of the processes.
        """
        before = self._before
        assert before is not None
        number = len(before)
        values, passes = found.split([number, len(self._counts)], dim=1)
        lengths = [2 * len(layer.running_mean) for layer in self._kept]
        repeats = torch.tensor(lengths, device=before.device)
        passes = passes.repeat_interleave(repeats, dim=1, output_size=number)
        if whole:
            after = self._composed(before, values, passes, repeats)
            more = found[:, number:].sum(dim=0)
        else:
            shares = torch.tensor(samples, dtype=before.dtype, device=before.device)
            after = (shares / shares.sum()) @ values
            more = found[:, number:].max(dim=0).values
        self._write(after, lengths, more)

    def _composed(self, before: Tensor, values: Tensor, passes: Tensor, repeats: Tensor) -> Tensor:
        number = len(before)
        momentum = before.new_tensor(
            [-1.0 if layer.momentum is None else float(layer.momentum) for layer in self._kept]
        ).repeat_interleave(repeats, output_size=number)
        counts = self._counts.to(before).repeat_interleave(repeats, output_size=number)
        is_average = momentum < 0.0
        now, seen = before, counts
        for value, k in zip(values, passes, strict=True):
            of_average = counts / (counts + k).clamp(min=1.0)
            own = torch.where(is_average, of_average, (1.0 - momentum) ** k)
            added = value - own * before
            # An average over counts + k batches becomes one over seen + k.
            factor = torch.where(is_average, seen / (seen + k).clamp(min=1.0), own)
            scale = (counts + k) / (seen + k).clamp(min=1.0)
            moved = factor * now + torch.where(is_average, scale * added, added)
            now = torch.where(k > 0.0, moved, now)
            seen = seen + k
        return now

    def _values(self) -> Tensor:
        buffers = [b for layer in self._kept for b in (layer.running_mean, layer.running_var)]
        return torch.cat([each.detach() for each in buffers])

    def _numbers(self) -> Tensor:
        return torch.stack([layer.num_batches_tracked for layer in self._kept])

    @torch.no_grad()
    def _write(self, values: Tensor, lengths: list[int], passes: Tensor) -> None:
        counts = self._counts + passes.round().to(self._counts)
        for layer, piece, count in zip(self._kept, values.split(lengths), counts, strict=True):
            mean, variance = piece.chunk(2)
            # By `data`, because graphs may have saved the buffers.
            layer.running_mean.data.copy_(mean)
            layer.running_var.data.copy_(variance)
            layer.num_batches_tracked.data.copy_(count)
