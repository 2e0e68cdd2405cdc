"""Data sets of Pillow images, one in each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from .._text_files import first_line
from ._image_reading import Bytes, bytes_of, is_deep
from ._pixel_statistics import SAMPLE, PixelStatistics
from .image_files import check_minibatch, fits_in_memory
from .images import ImagesInMemory, normalised
from .limits import MOST_PIXELS

__all__ = ["RowsOfImages", "datasets_of_images"]


class RowsOfImages:
    """Images in a column of a data set.

    :param rows: sequence of rows, each a mapping from names of columns to values.
    :param column: name of the column with Pillow images.
    :param owner: description of the argument that holds the data set, for error messages.
    """

    def __init__(self, rows: Any, column: str, owner: str) -> None:
        self._rows, self._column, self.owner = rows, column, owner

    def __len__(self) -> int:
        return len(self._rows)

    def decode(self, index: int, size: tuple[int, int] | None = None) -> tuple[Bytes, str]:
        """Decode an image into RGB pixels ``[H, W, 3]``, and return them with its Pillow mode.

        :param size: (height, width) to which the image is scaled; its own if ``None``.
        :raises ValueError: if it cannot be decoded or is too large; the message names the row.
        """
        try:
            image = self._rows[index][self._column]
            if not isinstance(image, Image.Image):
                words = "missing" if image is None else f"of type {type(image).__name__}"
                raise ValueError(f"it is {words}")
            if image.height * image.width > MOST_PIXELS:
                raise ValueError(f"it has more than {MOST_PIXELS:,} pixels: scale it down")
            return bytes_of(image, size), image.mode
        except Exception as error:  # decoders raise errors of many kinds
            words = first_line(error)[:200].rstrip(".")
            raise ValueError(
                f"{self.owner} has in the column {self._column!r} an image that cannot be used, in "
                f"row {index}: {words}."
            ) from None


def datasets_of_images(
    parts: Sequence[RowsOfImages],
    labels: Sequence[Sequence[int]],
    size: tuple[int, int] | None,
    batch_size: int,
) -> list[Dataset[Any]]:
    """Make the training and test data sets of images, normalised over the training images.

    Images are decoded into memory once if they fit. Otherwise an image is decoded whenever it is
    loaded. Mean and standard deviation are taken by channel.

    :param parts: training images and test images.
    :param labels: class labels of the training images and of the test images.
    :param size: (height, width) to which the images are scaled. If omitted, all images must have
        the size of the first one.
    :param batch_size: images of a minibatch.
    :return: training data set and test data set.
    :raises ValueError: if an image cannot be decoded, or has another size than the first.
    """
    given = size is not None
    if size is None:
        height, width, _ = parts[0].decode(0)[0].shape
        size = height, width
    check_minibatch(batch_size, len(parts[0]), size)
    deep = False

    def pixels(part: RowsOfImages, indices: Sequence[int]) -> Iterator[Tensor]:
        nonlocal deep
        for index in indices:
            found, mode = part.decode(index, size if given else None)
            deep = deep or is_deep(mode)
            yield _checked(found, size, part, index)

    everywhere = fits_in_memory(sum(map(len, parts)), size)
    images: list[Tensor] = []
    for part in parts if everywhere else ():
        images.append(torch.empty(len(part), 3, *size, dtype=torch.uint8))
        for place, each in zip(images[-1], pixels(part, range(len(part))), strict=True):
            place.copy_(each)
    step = -(-len(parts[0]) // SAMPLE)
    if everywhere:
        found = PixelStatistics([images[0][::step]])
    else:
        sampled = pixels(parts[0], range(0, len(parts[0]), step))
        found = PixelStatistics(each.unsqueeze(0) for each in sampled)
    if deep:
        found.check_levels(parts[0].owner)
    made: list[Dataset[Any]] = []
    for place, (part, own) in enumerate(zip(parts, labels, strict=True)):
        targets = torch.tensor(own)
        if everywhere:
            made.append(ImagesInMemory(images[place], targets, found.mean, found.std))
        else:
            made.append(_Decoding(part, targets, found.mean, found.std, size, given))
    return made


def _checked(pixels: Bytes, size: tuple[int, int], part: RowsOfImages, index: int) -> Tensor:
    if pixels.shape[:2] != size:
        height, width, _ = pixels.shape
        raise ValueError(
            f"{part.owner} has images of different sizes: that of row {index} is {height} × "
            f"{width}, the first {size[0]} × {size[1]}: give the `size` (height, width) to "
            "scale them to."
        )
    return torch.tensor(pixels).permute(2, 0, 1)


class _Decoding(Dataset[tuple[Tensor, Tensor]]):
    """Images that are decoded whenever they are loaded.

    :param size: (height, width) of all images, after scaling if ``scaled``.
    :param scaled: whether images are scaled; otherwise each image must have that size.
    """

    def __init__(
        self,
        part: RowsOfImages,
        targets: Tensor,
        mean: Sequence[float],
        std: Sequence[float],
        size: tuple[int, int],
        scaled: bool,
    ) -> None:
        self._part, self.targets = part, targets
        self._mean, self._std, self._size, self._scaled = mean, std, size, scaled

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[tuple[Tensor, Tensor]]:
        size = self._size if self._scaled else None
        images = torch.stack(
            [
                _checked(self._part.decode(index, size)[0], self._size, self._part, index)
                for index in indices
            ]
        )
        targets = self.targets[torch.tensor(indices)]
        return list(zip(normalised(images, self._mean, self._std), targets, strict=True))
