"""Images in memory as bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

__all__ = ["ImagesInMemory", "normalisation_of", "normalised"]


class ImagesInMemory(Dataset[tuple[Tensor, Tensor]]):
    """Images in memory as bytes, normalised when they are loaded, many at a time.

    :param images: uint8 ``[N, C, H, W]``.
    :param targets: class labels ``[N]``, int64.
    :param mean: mean of the pixels in [0, 1], one value for each channel.
    :param std: standard deviation of the pixels, > 0, one value for each channel.
    :raises ValueError: if the shapes do not agree, or a standard deviation is not positive.
    """

    def __init__(
        self, images: Tensor, targets: Tensor, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        if images.dtype != torch.uint8 or images.ndim != 4:
            raise ValueError(
                f"`images` must be uint8 [N, C, H, W], found {images.dtype} {tuple(images.shape)}."
            )
        if targets.shape != (len(images),):
            raise ValueError(
                f"`targets` must be one label for each of the {len(images)} images, found shape "
                f"{tuple(targets.shape)}."
            )
        finite = all(map(math.isfinite, (*mean, *std)))
        if not len(mean) == len(std) == images.shape[1] or not finite or min(std) <= 0.0:
            raise ValueError(
                f"`mean` and `std` must have a value for each of the {images.shape[1]} channels, "
                f"`std` positive, found {tuple(mean)!r} and {tuple(std)!r}."
            )
        self.images = images
        """Images, uint8 ``[N, C, H, W]``."""
        self.targets = targets
        """Class labels ``[N]``."""
        self._mean, self._std = tuple(mean), tuple(std)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[tuple[Tensor, Tensor]]:
        chosen = torch.tensor(indices)
        return list(zip(self.load_inputs(chosen), self.targets[chosen], strict=True))

    def load_inputs(self, indices: Tensor) -> Tensor:
        """Load normalised images, float32 ``[b, C, H, W]``.

        :param indices: indices of the images, ``[b]``.
        """
        return normalised(self.images.index_select(0, indices), self._mean, self._std)


def normalised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Scale pixels to [0, 1], subtract the mean and divide by the standard deviation.

    :param images: uint8 ``[N, C, H, W]``.
    :param mean: mean of the pixels in [0, 1], one value for each channel.
    :param std: standard deviation of the pixels, > 0, one value for each channel.
    :return: float32 ``[N, C, H, W]``.
    """
    scale, shift = _scale_and_shift(tuple(mean), tuple(std))
    return images.float().mul_(scale).sub_(shift)


@lru_cache
def _scale_and_shift(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    means, deviations = (torch.tensor(values, dtype=torch.float64) for values in (mean, std))
    scale, shift = (1.0 / (255.0 * deviations)).float(), (means / deviations).float()
    return scale.view(-1, 1, 1), shift.view(-1, 1, 1)


def normalisation_of(dataset: Any) -> tuple[list[float], list[float]] | None:
    """Return mean and standard deviation by channel with which a data set normalises its images.

    :param dataset: data set of this package, or a subset of one.
    :return: means and standard deviations of pixels in [0, 1]; ``None`` for other inputs.
    """
    while dataset is not None:
        mean, std = getattr(dataset, "_mean", None), getattr(dataset, "_std", None)
        if mean is not None and std is not None:
            return list(map(float, mean)), list(map(float, std))
        dataset = getattr(dataset, "_dataset", None) or getattr(dataset, "dataset", None)
    return None
