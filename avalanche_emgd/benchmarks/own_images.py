"""Parallel streams of user-defined images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from typing_extensions import Unpack

from .._options import with_defaults
from .._paths import checked_path
from .._text_files import first_line
from ._decoded import Decoded, decoded_once
from ._image_folders import ClassFolders, class_folders
from ._image_reading import check_size, common_size, decode, is_deep
from ._label_sets import check_random_seed
from ._pixel_statistics import SAMPLE, PixelStatistics
from ._ready_made import divided
from ._stratified import divide
from .held_out import check_test_share
from .image_files import check_minibatch, image_files
from .parallel import ParallelBenchmark
from .stream_options import StreamOptions

__all__ = ["parallel_benchmark_from_images"]

# Folders of these names that hold folders are parts of a division; others are classes.
_PARTS = ("train", "training", "test", "testing", "val", "valid", "validation")


def parallel_benchmark_from_images(
    directory: str | Path,
    *,
    test_share: float | None = None,
    size: tuple[int, int] | None = None,
    **options: Unpack[StreamOptions],
) -> ParallelBenchmark:
    """Make parallel streams of images in folders.

    Inputs have the shape ``[3, H, W]``, RGB, normalised to zero mean and unit variance by channel.
    The statistics are those of up to 2,000 evenly spread training images. Images are decoded into
    memory once if they fit. Image files have 8 bits per channel, or 16 bits of grey, which are
    scaled to 8 bits. Transparency is ignored. An image has at most 100 million pixels
    (:data:`~avalanche_emgd.benchmarks.limits.MOST_PIXELS`).

    :param directory: folder with the folders ``train`` and ``test``. Each has one folder of images
        for each class, as in torchvision's ``ImageFolder``. Classes are numbered in alphabetical
        order. With ``test_share``, ``directory`` itself has the folders of the classes.
    :param test_share: share of the images of each class for testing, in (0, 1), drawn by ``seed``.
    :param size: (height, width) to which images are scaled; needed unless all have one size.
    :param options: keyword options, see :class:`StreamOptions`.
    :raises FileNotFoundError: if a folder is missing; the message names it.
    :raises ValueError: if the two folders have different classes. With ``test_share``, if the
        folder is divided already, or has one class, or a class of one image. If an image is broken,
        too large, of another size than the others, or of an unknown range of grey levels; the
        message names the image.
    """
    chosen = with_defaults(StreamOptions, options, "parallel_benchmark_from_images")
    if size is not None:
        size = check_size(size)
    path = checked_path(directory, "directory")
    if test_share is None:
        parts = _divided_parts(path)
    else:
        parts = _drawn_parts(path, check_test_share(test_share), chosen["seed"])
    paths = [*parts[0].paths, *parts[1].paths]
    if size is None:
        size = decoded_once("size", paths, lambda: Decoded(facts=common_size(paths))).facts
    height, width = size
    check_minibatch(chosen["batch_size"], len(parts[0].paths), (height, width))
    mean, std = decoded_once(
        ("statistics", height, width),
        parts[0].paths,
        lambda: Decoded(facts=_statistics_of_files(parts[0].paths, (height, width))),
    ).facts
    train, test = (
        image_files(part.paths, part.targets, mean, std, size=(height, width)) for part in parts
    )
    return divided(
        train,
        test,
        range(len(parts[0].classes)),
        chosen,
        class_names=dict(enumerate(parts[0].classes)),
    )


def _divided_parts(path: Path) -> tuple[ClassFolders, ClassFolders]:
    """List the images of the folders train and test."""
    try:
        parts = class_folders(path / "train"), class_folders(path / "test")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"`directory` must have the folders train and test, each with one folder of images "
            f"for each class: {first_line(error)} To divide one folder of images for each class, "
            "give `test_share`."
        ) from None
    if parts[0].classes != parts[1].classes:
        differing = sorted(set(parts[0].classes) ^ set(parts[1].classes))
        raise ValueError(
            f"`directory` {str(path)!r} must have the same classes in train and test, but "
            f"these are in one of them only: {', '.join(differing)}."
        )
    return parts


def _drawn_parts(path: Path, share: float, seed: int) -> tuple[ClassFolders, ClassFolders]:
    """Divide the images of one folder for each class."""
    check_random_seed(seed)
    what = f"`directory` {str(path)!r}"
    for name in _PARTS:
        if (path / name).is_dir() and any(entry.is_dir() for entry in os.scandir(path / name)):
            raise ValueError(
                f"{what} is divided already, its folder {name} has folders itself: leave "
                "`test_share` out, or name the folder that holds those of the classes."
            )
    try:
        found = class_folders(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"`directory` must have one folder of images for each class, for `test_share`: "
            f"{first_line(error)}"
        ) from None
    if len(found.classes) < 2:
        raise ValueError(
            f"{what} has images of one class only, {found.classes[0]!r}: there must be two folders "
            "at least."
        )
    rows = divide(
        found.targets,
        share,
        seed,
        lambda label: (
            f"{what} has a single image of class {found.classes[label]!r}, too few for training "
            "and testing: leave the class out."
        ),
    )
    train, test = (
        ClassFolders(found.classes, [found.paths[i] for i in own], [found.targets[i] for i in own])
        for own in rows
    )
    return train, test


def _statistics_of_files(
    paths: Sequence[str], size: tuple[int, int]
) -> tuple[list[float], list[float]]:
    """Compute mean and standard deviation of evenly spread images, decoded one at a time."""
    deep = False

    def decoded() -> Iterator[Tensor]:
        nonlocal deep
        for path in paths[:: -(-len(paths) // SAMPLE)]:
            pixels, mode = decode(path, size)
            deep = deep or is_deep(mode)
            yield torch.tensor(pixels).permute(2, 0, 1).unsqueeze(0)

    found = PixelStatistics(decoded())
    if deep:
        found.check_levels("`directory`")
    return found.mean, found.std
