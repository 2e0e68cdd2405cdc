"""Data sets of image files, decoded once into memory, or at each loading if they do not fit."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import psutil
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ._decoded import Decoded, decoded_once
from ._image_reading import check_header, decode
from .images import ImagesInMemory, normalised
from .limits import MEMORY_SHARE

__all__ = ["ImageFiles", "check_minibatch", "fits_in_memory", "image_files"]

_LOG = logging.getLogger(__name__)
_SHARE = 0.25  # of free memory: room for two data sets, and for a copy during decoding


class ImageFiles(Dataset[tuple[Tensor, Tensor]]):
    """Images that are decoded from their files whenever they are loaded.

    :param paths: paths of N image files.
    :param targets: class labels ``[N]``, int64.
    :param mean: mean of the pixels in [0, 1], one value for each of three channels.
    :param std: standard deviation of the pixels, > 0, one value for each channel.
    :param size: (height, width) to which images of another size are scaled.
    """

    def __init__(
        self,
        paths: Sequence[str],
        targets: Tensor,
        mean: Sequence[float],
        std: Sequence[float],
        size: tuple[int, int],
    ) -> None:
        self._paths = list(paths)
        self.targets = targets
        """Class labels ``[N]``."""
        self._mean, self._std, self._size = mean, std, size

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[tuple[Tensor, Tensor]]:
        images = _decoded([self._paths[index] for index in indices], self._size)
        targets = self.targets[torch.tensor(indices)]
        return list(zip(normalised(images, self._mean, self._std), targets, strict=True))


def image_files(
    paths: Sequence[str],
    targets: Sequence[int],
    mean: Sequence[float],
    std: Sequence[float],
    *,
    size: tuple[int, int],
) -> ImagesInMemory | ImageFiles:
    """Make a data set of image files, in RGB.

    The log says whether images are decoded into memory, and their size.

    :param paths: paths of N ≥ 1 image files, in any format that Pillow reads.
    :param targets: N class labels.
    :param mean: mean of the pixels in [0, 1], one value for each of three channels.
    :param std: standard deviation of the pixels, > 0, one value for each channel.
    :param size: (height, width) to which images of another size are scaled.
    :return: images in memory, or images that are decoded at each loading.
    :raises ValueError: if a file is not an image, broken or too large; the message names it. Only
        the headers are checked if images are decoded at each loading.
    """
    labels = torch.tensor(targets, dtype=torch.long)
    found = decoded_once(("images", *size), paths, lambda: _in_memory(paths, size)).tensors
    if found:
        return ImagesInMemory(found[0], labels, mean, std)
    return ImageFiles(paths, labels, mean, std, size)


def _in_memory(paths: Sequence[str], size: tuple[int, int]) -> Decoded:
    """Decode all images if they fit into memory; otherwise check the headers of the files."""
    needed = len(paths) * 3 * size[0] * size[1]
    if not fits_in_memory(len(paths), size):
        _LOG.info("%d images stay in their files: %.0f MB decoded", len(paths), needed / 1e6)
        for path in paths:
            check_header(path)
        return Decoded(())
    images = _decoded(paths, size)
    _LOG.info("%d images decoded into memory: %.0f MB", len(paths), needed / 1e6)
    return Decoded((images,))


def _decoded(paths: Sequence[str], size: tuple[int, int]) -> Tensor:
    images = torch.empty(len(paths), 3, *size, dtype=torch.uint8)
    for image, path in zip(images, paths, strict=True):
        image.copy_(torch.tensor(decode(path, size)[0]).permute(2, 0, 1))
    return images


def fits_in_memory(number: int, size: tuple[int, int]) -> bool:
    """Whether images are decoded into memory.

    :param number: number of images.
    :param size: (height, width) of each.
    """
    return number * 3 * size[0] * size[1] <= _SHARE * psutil.virtual_memory().available


def check_minibatch(batch_size: int, number: int, size: tuple[int, int]) -> None:
    """Check that one minibatch of images fits into memory, as bytes and in single precision.

    :param batch_size: largest number of images in a minibatch.
    :param number: number of all images.
    :param size: (height, width) of each.
    :raises ValueError: if a minibatch is too large.
    """
    images = min(int(batch_size), number)
    needed, free = 15 * images * size[0] * size[1], psutil.virtual_memory().available
    if needed > MEMORY_SHARE * free:
        raise ValueError(
            f"`size` {size[0]} × {size[1]} makes minibatches of {images} images that take "
            f"{needed / 1e9:.3g} GB, more than {MEMORY_SHARE:.0%} of the {free / 1e9:.3g} GB of "
            "free memory: choose a smaller `size` or `batch_size`."
        )
