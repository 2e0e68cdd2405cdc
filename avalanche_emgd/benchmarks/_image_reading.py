"""Decoding of image files, whose headers are checked first."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from .._numbers import is_whole
from .limits import MOST_PIXELS

__all__ = ["bytes_of", "check_header", "check_size", "common_size", "decode", "is_deep", "rgb_of"]

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_EIGHT_BITS = {"1", "L", "P", "LA", "PA", "RGB", "RGBX", "RGBA", "CMYK", "YCbCr", "HSV"}


def is_deep(mode: str) -> bool:
    """Whether images of a Pillow mode have 16 bits."""
    return mode.startswith("I;16")


def rgb_of(image: Any) -> Any:
    """Convert a Pillow image to RGB with 8 bits.

    Grey levels of 16 bits are divided by 257. Transparency is ignored.

    :raises ValueError: if the range of grey levels of the image's mode is not known.
    """
    if is_deep(image.mode):
        levels = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    elif image.mode not in _EIGHT_BITS:
        raise ValueError(
            f"its mode is {image.mode!r}, whose range of grey levels is not known: save it with 8 "
            "or 16 bits, or give floating-point arrays to parallel_benchmark_from_arrays"
        )
    return image.convert("RGB")


def decode(path: str, size: tuple[int, int] | None = None) -> tuple[Bytes, str]:
    """Decode an image file.

    :param path: path of the file.
    :param size: (height, width) to which the image is scaled; its own if ``None``.
    :return: RGB pixels ``[H, W, 3]``, and the image's Pillow mode in the file.
    :raises ValueError: if the image cannot be decoded or is too large; the message names the file.
    """
    with _opened(path) as image:
        return bytes_of(image, size), image.mode


def check_header(path: str) -> tuple[int, int]:
    """Read the size (height, width) of an image file from its header.

    :raises ValueError: if the file is not an image, or too large; the message names the file.
    """
    with _opened(path) as image:
        return image.height, image.width


def common_size(paths: Sequence[str]) -> tuple[int, int]:
    """Read the common size (height, width) of image files from their headers.

    :raises ValueError: if two sizes differ; the message names both files.
    """
    first = check_header(paths[0])
    for path in paths:
        size = check_header(path)
        if size != first:
            raise ValueError(
                f"`directory` has images of different sizes: {paths[0]!r} is {_by(first)}, "
                f"{path!r} is {_by(size)}: give the `size` (height, width) to scale them to (on "
                "the command line: --size)."
            )
    return first


def check_size(size: Any) -> tuple[int, int]:
    """Check a size (height, width) to which images are to be scaled.

    :raises ValueError: if ``size`` is not a pair of positive integers, or too large.
    """
    given = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    whole = all(map(is_whole, given))
    if len(given) != 2 or not whole or min(given) < 1 or given[0] * given[1] > MOST_PIXELS:
        raise ValueError(
            f"`size` must be (height, width) in pixels, at most {MOST_PIXELS:,} in all, found "
            f"{size!r}."
        )
    return int(given[0]), int(given[1])


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is no file")  # reading from a pipe may block for ever
        with warnings.catch_warnings():
            # Pillow only warns about large images; the check below raises an error.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
        with image:
            if image.height * image.width > MOST_PIXELS:
                raise ValueError(
                    f"it has {_by((image.height, image.width))} pixels, more than "
                    f"{MOST_PIXELS:,} in all: scale it down"
                )
            yield image
    except Exception as error:  # decoders raise errors of many kinds
        text = " ".join(str(error).replace(f"image file {path!r}", "it").split()).rstrip(".")
        words = text[:300] or type(error).__name__
        raise ValueError(f"The image {path!r} cannot be used: {words}.") from None


def bytes_of(image: Any, size: tuple[int, int] | None) -> Bytes:
    """Convert a Pillow image to RGB pixels ``[H, W, 3]``.

    :param size: (height, width) to which the image is scaled; its own if ``None``.
    :raises ValueError: as in :func:`rgb_of`.
    """
    colour = rgb_of(image)
    if size is not None and (colour.height, colour.width) != size:
        colour = colour.resize((size[1], size[0]))
    return np.asarray(colour, dtype=np.uint8)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
