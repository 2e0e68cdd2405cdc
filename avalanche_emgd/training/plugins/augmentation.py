"""Random crops and flips of what is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor
from torch.nn import functional

__all__ = ["AugmentationPlugin", "check_augmentable"]

_PADDING = 4
_SMALLEST = 16  # pixels: of smaller images, such crops cut half of the sides away


def check_augmentable(shape: Sequence[int]) -> None:
    """Check that the default crops leave the images recognisable.

    :param shape: of an input.
    :raises ValueError: if it is no image ``[C, H, W]``, or one of fewer than 16 pixels a side.
    """
    if len(shape) != 3:
        raise ValueError(
            f"`augment` is for images [C, H, W], but the inputs have the shape {list(shape)}: "
            "leave it out."
        )
    if min(shape[1:]) < _SMALLEST:
        size = "×".join(map(str, shape[1:]))
        raise ValueError(
            f"`augment` shifts images by up to {_PADDING} pixels, for which they must have at "
            f"least {_SMALLEST} on each side, but the inputs have {size}: leave it out."
        )


class AugmentationPlugin(SupervisedPlugin):
    """Crops and flips every image of a training minibatch at random, replayed ones included.

    Each delivery and each replay of an image is augmented anew; the replay memory and the data set
    keep images as they are, and test images are left alone. Crops are of the image with ``padding``
    pixels of zero around it, which is the mean where inputs are normalised.

    :param padding: pixels on each side, ≥ 0.
    :param flip: whether half of the images are mirrored, left to right.
    :param seed: of all that is random.
    :raises ValueError: if ``padding`` is negative.
    """

    def __init__(self, padding: int = _PADDING, flip: bool = True, seed: int = 0) -> None:
        super().__init__()
        if padding < 0:
            raise ValueError(f"`padding` must be at least 0, found {padding!r}.")
        self.padding = padding
        self.flip = flip
        self._generator = torch.Generator().manual_seed(seed)

    def before_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Augment the minibatch, once replay has been added to it."""
        strategy.mbatch[0] = self.augment(strategy.mbatch[0])

    def augment(self, images: Tensor) -> Tensor:
        """Crop and flip images ``[b, C, H, W]`` at random.

        :raises ValueError: if they are no images.
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
        # Indices apart from each other put the channels last.
        cropped = padded[of_image, :, rows[:, :, None], columns[:, None, :]]
        return cropped.permute(0, 3, 1, 2).contiguous()

    def state_dict(self) -> dict[str, Tensor]:
        """State of what is random."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what :meth:`state_dict` gave."""
        self._generator.set_state(state["generator"])
