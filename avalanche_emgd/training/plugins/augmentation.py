"""Random crops and flips of training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor
from torch.nn import functional

from ..._numbers import check_whole

__all__ = ["AugmentationPlugin", "check_augmentable"]

_PADDING = 4
_SMALLEST = 16  # pixels: a shift by 4 pixels removes too much of a smaller image


def check_augmentable(shape: Sequence[int]) -> None:
    """Check that images are large enough for the default crops.

    :param shape: shape of an input.
    :raises ValueError: if the inputs are not images ``[C, H, W]``, or a side is shorter than 16
        pixels.
    """
    if len(shape) != 3:
        raise ValueError(
            f"`augment` is for images [C, H, W], but the inputs have the shape {list(shape)}: "
            "leave it out."
        )
    if min(shape[1:]) < _SMALLEST:
        size = "×".join(map(str, shape[1:]))
        raise ValueError(
            f"`augment` shifts images by up to {_PADDING} pixels, so images need at least "
            f"{_SMALLEST} pixels on each side, but the inputs have {size}: leave it out."
        )


class AugmentationPlugin(SupervisedPlugin):
    """Random crops and flips of every image of a training minibatch, replayed images included.

    Each delivery and each replay of an image has a new augmentation. Images in the replay memory
    and in the data set, and test images, do not change. An image is padded with zeros before the
    crop; zero is the mean of normalised inputs.

    :param padding: pixels of padding on each side, ≥ 0.
    :param flip: whether to mirror half of the images, left to right.
    :param seed: seed of all random choices.
    :raises ValueError: if ``padding`` is negative.
    """

    def __init__(self, padding: int = _PADDING, flip: bool = True, seed: int = 0) -> None:
        super().__init__()
        check_whole("padding", padding, 0)
        self.padding = padding
        self.flip = flip
        self._generator = torch.Generator().manual_seed(seed)

    def before_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Augment the minibatch, replayed samples included."""
        strategy.mbatch[0] = self.augment(strategy.mbatch[0])

    def augment(self, images: Tensor) -> Tensor:
        """Crop and flip images ``[b, C, H, W]`` at random.

        :raises ValueError: if the inputs are not images.
        """
        if images.ndim != 4:
            raise ValueError(
                f"`augment` is for images [b, C, H, W], found inputs of shape "
                f"{tuple(images.shape[1:])}."
            )
        b, _, height, width = images.shape
        size = 2 * self.padding + 1
        offsets = torch.randint(size, (2, b), generator=self._generator)
        mirrored = torch.rand(b, generator=self._generator) < 0.5
        rows = offsets[0, :, None] + torch.arange(height)
        columns = offsets[1, :, None] + torch.arange(width)
        if self.flip:
            columns = torch.where(mirrored[:, None], columns.flip(1), columns)
        rows, columns = rows.to(images.device), columns.to(images.device)
        padded = functional.pad(images, 4 * [self.padding])
        of_image = torch.arange(b, device=images.device)[:, None, None]
        # Advanced indices that are separated by a slice put the channels last.
        cropped = padded[of_image, :, rows[:, :, None], columns[:, None, :]]
        return cropped.permute(0, 3, 1, 2).contiguous()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state of the random generator."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the state of :meth:`state_dict`."""
        self._generator.set_state(state["generator"])
