"""Parallel streams of a user's own images or arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from ._image_folders import ClassFolders, class_folders
from ._image_reading import check_size, common_size, decode, is_deep
from ._inputs import non_finite_row
from ._labels import labels_of
from ._npz import read_arrays
from ._pixel_statistics import PixelStatistics
from ._ready_made import divided
from ._text_files import first_line
from .image_files import image_files
from .images import ImagesInMemory
from .limits import MEMORY_SHARE
from .parallel import ParallelBenchmark, Scenario
from .timeline import Timeline

__all__ = ["parallel_benchmark_from_arrays", "parallel_benchmark_from_images"]

_SAMPLE = 2000  # images from which mean and deviation are taken
_FEW_LEVELS = 32  # of 256: deep images that are all darker are left with too few
_KEYS = ("x_train", "y_train", "x_test", "y_test")


def parallel_benchmark_from_images(
    directory: str | Path,
    *,
    size: tuple[int, int] | None = None,
    scenario: Scenario = "class",
    seed: int = 0,
    batch_size: int = 32,
    num_tasks: int = 5,
    label_sets: Sequence[Sequence[int]] | None = None,
    timeline: Timeline | None = None,
    epochs: int = 1,
) -> ParallelBenchmark:
    """Parallel streams of images in folders.

    Inputs of shape ``[3, H, W]``, RGB, normalised to zero mean and unit variance by channel, over
    (up to 2,000 evenly spread) training images. Decoded into memory once, where they fit. Images
    have 8 bits of a channel, or 16 bits of grey, which are scaled to 8; what is transparent is as
    opaque as the rest. An image has at most 100 million pixels
    (:data:`~avalanche_emgd.benchmarks.limits.MOST_PIXELS`).

    :param directory: with folders ``train`` and ``test``, each with one folder of images for each
        class, as torchvision's ``ImageFolder`` takes them; classes are numbered in the order of
        their names.
    :param size: (height, width) to which images are scaled; needed unless all have one size.
    :param scenario: ``"task"`` or ``"class"``.
    :param seed: of the label sets and the time line, where they are not given, and of the order of
        delivery.
    :param batch_size: samples of each task at each tick.
    :param num_tasks: number of tasks, where no label sets are given.
    :param label_sets: classes of each task.
    :param timeline: is fitted to the data; random without idle gap if omitted.
    :param epochs: passes over each task's samples within its span.
    :raises FileNotFoundError: if a folder is missing; says which.
    :raises ValueError: if the classes of the two folders differ. Also if an image is broken, too
        large, of another size than the others, or of an unknown range of grey levels; names it.
    """
    if size is not None:
        size = check_size(size)
    parts = [_folder(_path(directory, "directory") / part) for part in ("train", "test")]
    if parts[0].classes != parts[1].classes:
        differing = sorted(set(parts[0].classes) ^ set(parts[1].classes))
        raise ValueError(
            f"`directory` {str(directory)!r} must have the same classes in train and test, but "
            f"these are in one of them only: {', '.join(differing)}."
        )
    if size is None:
        size = common_size([*parts[0].paths, *parts[1].paths])
    _check_minibatch(batch_size, len(parts[0].paths), size)
    mean, std = _statistics_of_files(parts[0].paths, size)
    train, test = (image_files(part.paths, part.targets, mean, std, size=size) for part in parts)
    return divided(
        train,
        test,
        range(len(parts[0].classes)),
        num_tasks=num_tasks,
        label_sets=label_sets,
        timeline=timeline,
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
        epochs=epochs,
        class_names=dict(enumerate(parts[0].classes)),
    )


def parallel_benchmark_from_arrays(
    file: str | Path,
    *,
    scenario: Scenario = "class",
    seed: int = 0,
    batch_size: int = 32,
    num_tasks: int = 5,
    label_sets: Sequence[Sequence[int]] | None = None,
    timeline: Timeline | None = None,
    epochs: int = 1,
) -> ParallelBenchmark:
    """Parallel streams of arrays in a NumPy file.

    Images are uint8 ``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]`` with C = 1 or 3. They
    become inputs ``[C, H, W]``, normalised by channel over the training images. Floating-point
    arrays ``[N, ...]`` are taken as they are, in single precision.

    Labels are whole numbers or text, ``[N]`` or ``[N, 1]``. Unless those of the training samples
    are 0, 1, 2, ... they are numbered anew in ascending order; the benchmark's ``class_names`` are
    the labels in the file.

    :param file: ``.npz`` with ``x_train``, ``y_train``, ``x_test`` and ``y_test``; other arrays in
        it are ignored. It is read without pickle, and only if its arrays are not too large, see
        :data:`~avalanche_emgd.benchmarks.limits.MEMORY_SHARE` and
        :data:`~avalanche_emgd.benchmarks.limits.MOST_EXPANSION`.
    :param scenario: ``"task"`` or ``"class"``.
    :param seed: of the label sets and the time line, where they are not given, and of the order of
        delivery.
    :param batch_size: samples of each task at each tick.
    :param num_tasks: number of tasks, where no label sets are given.
    :param label_sets: classes of each task, as they are in the file.
    :param timeline: is fitted to the data; random without idle gap if omitted.
    :param epochs: passes over each task's samples within its span.
    :raises FileNotFoundError: if the file is not there.
    :raises ValueError: if it is no such file, or arrays are missing, too large or do not fit
        together.
    """
    arrays = read_arrays(_path(file, "file"), _KEYS)
    parts = [(arrays[f"x_{part}"], arrays[f"y_{part}"], part) for part in ("train", "test")]
    labels, names = _labels(file, *(y for _, y, _ in parts))
    for (x, y, part), own in zip(parts, labels, strict=True):
        if x.ndim == 0 or len(own) != len(x) or not own:
            raise ValueError(
                f"`file` {str(file)!r} must have one class label in y_{part} for each of the "
                f"samples of x_{part}, found shapes {y.shape} and {x.shape}."
            )
    classes = sorted(set(labels[0]))
    strange = sorted(set(labels[1]) - set(classes))
    if label_sets is None and strange:
        raise ValueError(
            f"`file` {str(file)!r} has classes in y_test that y_train has not: "
            f"{', '.join(names.get(label, str(label)) for label in strange[:20])}."
        )
    inputs = [_inputs(x, part, file) for x, _, part in parts]
    if inputs[0].shape[1:] != inputs[1].shape[1:] or inputs[0].dtype != inputs[1].dtype:
        raise ValueError(
            f"`file` {str(file)!r} must have samples of one kind in x_train and x_test, found "
            f"{parts[0][0].dtype} {parts[0][0].shape[1:]} and {parts[1][0].dtype} "
            f"{parts[1][0].shape[1:]}."
        )
    targets = [torch.tensor(own) for own in labels]
    train: Dataset[Any]
    test: Dataset[Any]
    if inputs[0].dtype == torch.uint8:
        found = PixelStatistics([inputs[0][:: -(-len(inputs[0]) // _SAMPLE)]])
        train, test = (
            ImagesInMemory(x, y, found.mean, found.std)
            for x, y in zip(inputs, targets, strict=True)
        )
    else:
        train, test = (TensorDataset(x, y) for x, y in zip(inputs, targets, strict=True))
    return divided(
        train,
        test,
        classes,
        num_tasks=num_tasks,
        label_sets=label_sets,
        timeline=timeline,
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
        epochs=epochs,
        class_names=names,
    )


def _path(path: Any, name: str) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"`{name}` must be a path, found {path!r}.")
    try:
        Path(path).exists()
    except (OSError, ValueError) as error:
        raise ValueError(f"`{name}` {str(path)[:100]!r} is no path: {error!s:.60}.") from None
    return Path(path)


def _folder(path: Path) -> ClassFolders:
    try:
        return class_folders(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"`directory` must have the folders train and test, each with one folder of images "
            f"for each class: {first_line(error)}"
        ) from None


def _check_minibatch(batch_size: int, number: int, size: tuple[int, int]) -> None:
    """Check that one minibatch of images fits into memory, as bytes and in single precision."""
    images = min(int(batch_size), number)
    needed, free = 15 * images * size[0] * size[1], psutil.virtual_memory().available
    if needed > MEMORY_SHARE * free:
        raise ValueError(
            f"`size` {size[0]} × {size[1]} makes minibatches of {images} images that take "
            f"{needed / 1e9:.3g} GB, more than {MEMORY_SHARE:.0%} of the {free / 1e9:.3g} GB of "
            "free memory: choose a smaller `size` or `batch_size`."
        )


def _statistics_of_files(
    paths: Sequence[str], size: tuple[int, int]
) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of evenly spread images, decoded one after the other."""
    deep = False

    def decoded() -> Iterator[Tensor]:
        nonlocal deep
        for path in paths[:: -(-len(paths) // _SAMPLE)]:
            pixels, mode = decode(path, size)
            deep = deep or is_deep(mode)
            yield torch.tensor(pixels).permute(2, 0, 1).unsqueeze(0)

    found = PixelStatistics(decoded())
    if deep and found.highest < _FEW_LEVELS:
        raise ValueError(
            f"`directory` has images of 16 bits whose grey levels are all below "
            f"{257 * (found.highest + 1):,} of 65,536: scaled to 8 bits, they would keep "
            f"{found.highest + 1} levels. Save them with 8 bits, or with their levels spread out."
        )
    return found.mean, found.std


def _labels(file: str | Path, *arrays: Any) -> tuple[list[list[int]], dict[int, str]]:
    """Labels of the training and the test samples, and the names of the classes.

    Text is numbered in alphabetical order.
    """
    arrays = tuple(y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y for y in arrays)
    if all(y.dtype.kind == "U" and y.ndim == 1 for y in arrays):
        words, numbers = np.unique(np.concatenate(arrays), return_inverse=True)
        start = len(arrays[0])
        return [numbers[:start].tolist(), numbers[start:].tolist()], dict(enumerate(words.tolist()))
    try:
        labels = [
            labels_of(y, f"y_{part}") for y, part in zip(arrays, ("train", "test"), strict=True)
        ]
    except ValueError as error:
        raise ValueError(f"`file` {str(file)!r}: {error}") from None
    return labels, {label: str(label) for own in labels for label in own}


def _inputs(x: Any, part: str, file: str | Path) -> Tensor:
    """Make a tensor: images as uint8 ``[N, C, H, W]``, others as float32 ``[N, ...]``."""
    if x.dtype.kind == "f" and x.ndim >= 2:
        with np.errstate(over="ignore"):  # what is too large for single precision is found below
            numbers = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
        bad = non_finite_row(numbers, None)
        if bad is not None:
            raise ValueError(
                f"`file` {str(file)!r} has NaN or infinite numbers in x_{part}[{bad}]: leave the "
                "sample out or replace them."
            )
        return numbers
    images = torch.from_numpy(np.ascontiguousarray(x)) if x.dtype == np.uint8 else None
    if images is not None and images.ndim == 3:
        return images.unsqueeze(1)
    if images is not None and images.ndim == 4 and images.shape[3] in (1, 3):
        return images.permute(0, 3, 1, 2).contiguous()
    if images is not None and images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    raise ValueError(
        f"`file` {str(file)!r} must have uint8 images [N, H, W], [N, H, W, C] or [N, C, H, W] with "
        f"1 or 3 channels in x_{part}, or floating-point samples [N, ...], found {x.dtype} "
        f"{x.shape}."
    )
