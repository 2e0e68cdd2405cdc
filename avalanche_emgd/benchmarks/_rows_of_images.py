"""Images of Pillow's that a data set gives row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from ._image_reading import Bytes, bytes_of, is_deep
from ._pixel_statistics import SAMPLE, PixelStatistics
from ._text_files import first_line
from .image_files import check_minibatch, fits_in_memory
from .images import ImagesInMemory, normalised
from .limits import MOST_PIXELS

__all__ = ["RowsOfImages", "datasets_of_images"]


class RowsOfImages:
    """Images of a data set.

    :param rows: gives a mapping from names of columns to values, by index.
    :param column: with images of Pillow's.
    :param owner: argument that has the data set, for messages.
    """

    def __init__(self, rows: Any, column: str, owner: str) -> None:
        self._rows, self._column, self.owner = rows, column, owner

    def __len__(self) -> int:
        return len(self._rows)

    def decode(self, index: int, size: tuple[int, int] | None = None) -> tuple[Bytes, str]:
        """Pixels of an image, RGB ``[H, W, 3]``, and its mode.

        :param size: (height, width) to which it is scaled.
        :raises ValueError: if it cannot be decoded or is too large; names the row.
        """
        try:
            image = self._rows[index][self._column]
            if not isinstance(image, Image.Image):
                raise ValueError(f"it is {'missing' if image is None else type(image).__name__}")
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
    """Training and test data set of images, normalised by channel over the training images.

    Decoded into memory once where they fit, each time they are loaded elsewhere.

    :param parts: training and test images.
    :param labels: of both.
    :param size: (height, width) to which they are scaled; that of the first image if omitted, which
        all must then have.
    :param batch_size: images of a minibatch.
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
            f"{width}, the first {size[0]} × {size[1]}: say to which `size` (height, width) to "
            "scale them."
        )
    return torch.tensor(pixels).permute(2, 0, 1)


class _Decoding(Dataset[tuple[Tensor, Tensor]]):
    """Images decoded whenever they are loaded.

    :param size: (height, width) to which they are scaled if ``scaled``, and which they have else.
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
