"""Running statistics of the batch norms of a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from .batch_norm import is_batch_norm, tracks

__all__ = ["RunningStatistics", "Values"]

Values = list[tuple[Tensor, Tensor, Tensor]]


class RunningStatistics:
    """Buffers that the batch norms of a model write in a forward pass, as their modes are now.

    :param modules: modules of the model.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._layers = [each for each in modules if is_batch_norm(each) and tracks(each)]
        self.numbers: set[int] = {id(b) for buffers in self._buffers() for b in buffers}
        """Identities of the buffers."""

    def _buffers(self) -> Values:
        nothing = torch.zeros(())
        return [
            tuple(  # type: ignore[misc]
                nothing if buffer is None else buffer
                for buffer in (each.running_mean, each.running_var, each.num_batches_tracked)
            )
            for each in self._layers
        ]

    def copies(self) -> Values:
        """Values as they are now: means ``[C]``, variances ``[C]`` and number of batches."""
        return [
            (mean.detach().clone(), variance.detach().clone(), count.clone())
            for mean, variance, count in self._buffers()
        ]

    def write(self, values: Values) -> None:
        """Bring back values; graphs that have saved the buffers do not count this as a change."""
        for buffers, copies in zip(self._buffers(), values, strict=True):
            for buffer, copy in zip(buffers, copies, strict=True):
                buffer.data.copy_(copy)

    @staticmethod
    def agree(found: Values, expected: Values, tolerance: float) -> bool:
        """Whether values are equal but for rounding, which is relative to Σ x² of a channel's x."""
        return all(
            torch.equal(ours[2], theirs[2]) and _is_near(ours[:2], theirs[:2], tolerance)
            for ours, theirs in zip(found, expected, strict=True)
        )


def _is_near(found: Sequence[Tensor], expected: Sequence[Tensor], tolerance: float) -> bool:
    mean, variance = expected
    square = float((mean.square() + variance.abs()).norm())
    of_mean, of_variance = (float((a - b).norm()) for a, b in zip(found, expected, strict=True))
    # Σ (mean² + variance) over channels is at most √C times the length of their squares.
    return (
        of_mean <= tolerance * (len(mean) ** 0.5 * square) ** 0.5
        and of_variance <= tolerance * square
    )
