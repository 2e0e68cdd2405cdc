"""Random crops and flips of images, and checks that images are large enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .._numbers import check_whole
from ..benchmarks import Part

__all__ = ["PADDING", "CropsAndFlips", "check_augmentable", "replace_parts"]

PADDING = 4
"""Default number of pixels of padding on each side."""
_SIDES = 4  # A shift by more than a fourth of the side removes too much of an image.


class CropsAndFlips:
    """Random crops and flips of images, of each image apart, with a generator of its own.

    An image is padded with zeros before the crop; zero is the mean of normalised inputs.

    :param padding: pixels of padding on each side, ≥ 0.
    :param flip: whether to mirror half of the images, left to right.
    :param seed: seed of all random choices.
    :raises ValueError: if ``padding`` is no whole number of at least 0.
    """

    def __init__(self, padding: int = PADDING, flip: bool = True, seed: int = 0) -> None:
        super().__init__()
        check_whole("padding", padding, 0)
        self.padding = padding
        self.flip = flip
        self._generator = torch.Generator().manual_seed(seed)

    def augment(self, images: Tensor) -> Tensor:
        """Crop and flip images ``[b, C, H, W]`` at random.

        :raises ValueError: if the inputs are not images.
        """
        if images.ndim != 4:
            raise ValueError(
                f"Crops and flips are for images [b, C, H, W], found inputs of shape "
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

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random generator."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`."""
        self._generator.set_state(state["generator"])


def check_augmentable(
    shape: Sequence[int],
    padding: int = PADDING,
    name: str = "augment",
    remedy: str = "leave it out",
) -> None:
    """Check that images are large enough for random crops.

    :param shape: shape of an input.
    :param padding: pixels of padding on each side.
    :param name: name of the argument that asks for crops, for the message.
    :param remedy: end of the message for images that are too small.
    :raises ValueError: if the inputs are not images ``[C, H, W]``, or a side is shorter than four
        times the padding.
    """
    if len(shape) != 3:
        raise ValueError(
            f"`{name}` is for images [C, H, W], but the inputs have the shape {list(shape)}: "
            "leave it out."
        )
    if min(shape[1:]) < _SIDES * padding:
        size = "×".join(map(str, shape[1:]))
        raise ValueError(
            f"`{name}` shifts images by up to {padding} pixels, so images need at least "
            f"{_SIDES * padding} pixels on each side, but the inputs have {size}: {remedy}."
        )


def replace_parts(
    inputs: Tensor, parts: Sequence[Part], change: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return inputs ``[B, ...]`` with those of some parts changed; the argument stays as it is.

    :param inputs: inputs of a minibatch.
    :param parts: parts to change.
    :param change: function of all their inputs ``[b, ...]`` together.
    """
    if not parts:
        return inputs
    changed = change(torch.cat([inputs[part.start : part.stop] for part in parts]))
    pieces = changed.split([part.stop - part.start for part in parts])
    result = inputs.clone()
    for part, piece in zip(parts, pieces, strict=True):
        result[part.start : part.stop] = piece
    return result
