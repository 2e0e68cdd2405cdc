"""Mean and standard deviation of pixels, from counts accumulated image by image."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import torch
from torch import Tensor

__all__ = ["SAMPLE", "PixelStatistics"]

SAMPLE = 2000
"""Largest number of images for mean and standard deviation."""

_FEW_LEVELS = 32  # of 256: darker images of 16 bits keep too few levels with 8 bits
_CHUNK = 1 << 24  # pixels that are counted together


class PixelStatistics:
    """Counts of the 256 levels of each channel.

    :param images: batches of images, uint8 ``[n, C, H, W]``, read once.
    """

    def __init__(self, images: Iterable[Tensor]) -> None:
        self._counts = torch.zeros(0, 256, dtype=torch.long)
        for batch in images:
            if len(self._counts) == 0:
                self._counts = torch.zeros(batch.shape[1], 256, dtype=torch.long)
            step = max(1, _CHUNK // max(1, batch[0].numel()))
            for part in batch.split(step):
                for counts, channel in zip(self._counts, part.transpose(0, 1), strict=True):
                    counts += torch.bincount(channel.flatten(), minlength=256)

    @property
    def highest(self) -> int:
        """Highest level over all channels."""
        return int(self._counts.sum(dim=0).nonzero()[-1, 0])

    def check_levels(self, owner: str) -> None:
        """Check that images of 16 bits keep enough grey levels with 8 bits.

        :param owner: description of the argument that holds the images, for error messages.
        :raises ValueError: if too few levels remain.
        """
        if self.highest < _FEW_LEVELS:
            raise ValueError(
                f"{owner} has images of 16 bits whose grey levels are all below "
                f"{257 * (self.highest + 1):,} of 65,536: scaled to 8 bits, they would keep "
                f"{self.highest + 1} levels. Save them with 8 bits, or spread their levels over "
                "the whole range."
            )

    @property
    def mean(self) -> list[float]:
        """Mean of the pixels in [0, 1], by channel."""
        return [float(Fraction(total, 255 * number)) for number, total, _ in self._sums()]

    @property
    def std(self) -> list[float]:
        """Standard deviation of the pixels (divisor N − 1), by channel; 1 if all are equal."""
        found = []
        for number, total, squares in self._sums():
            spread = number * squares - total**2
            variance = Fraction(spread, max(1, number * (number - 1)) * 255**2)
            found.append(math.sqrt(variance) if spread else 1.0)
        return found

    def _sums(self) -> list[tuple[int, int, int]]:
        """Return for each channel the number of pixels, the sum of levels and of their squares."""
        levels = range(256)
        return [
            (sum(own), sum(n * v for n, v in zip(own, levels, strict=True)),
             sum(n * v * v for n, v in zip(own, levels, strict=True)))
            for own in self._counts.tolist()
        ]  # fmt: skip
