"""Parallel streams of a user's own images or arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset
from torchvision.datasets import ImageFolder

from ._ready_made import divided
from .image_files import image_files
from .images import ImagesInMemory, bytes_of
from .parallel import ParallelBenchmark, Scenario
from .timeline import Timeline

__all__ = ["parallel_benchmark_from_arrays", "parallel_benchmark_from_images"]

_SAMPLE = 2000  # images from which mean and deviation are taken
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
) -> ParallelBenchmark:
    """Parallel streams of images in folders.

    Inputs of shape ``[3, H, W]``, RGB, normalised to zero mean and unit variance by channel, over
    (up to 2,000 evenly spread) training images. Decoded into memory once, where they fit.

    :param directory: with folders ``train`` and ``test``, each with one folder of images for each
        class, as torchvision's ``ImageFolder`` takes them; classes are numbered in the order of
        their names.
    :param size: (height, width) to which images are scaled; that of the first one if omitted.
    :param scenario: ``"task"`` or ``"class"``.
    :param seed: of the label sets and the time line, where they are not given, and of the order of
        delivery.
    :param batch_size: samples of each task at each tick.
    :param num_tasks: number of tasks, where no label sets are given.
    :param label_sets: classes of each task.
    :param timeline: is fitted to the data; random without idle gap if omitted.
    :raises FileNotFoundError: if a folder is missing; says which.
    :raises ValueError: if the classes of the two folders differ.
    """
    parts = [_folder(Path(directory) / part) for part in ("train", "test")]
    if parts[0].classes != parts[1].classes:
        differing = sorted(set(parts[0].classes) ^ set(parts[1].classes))
        raise ValueError(
            f"`directory` {str(directory)!r} must have the same classes in train and test, but "
            f"these are in one of them only: {', '.join(differing)}."
        )
    files = [[path for path, _ in part.samples] for part in parts]
    if size is None:
        with Image.open(files[0][0]) as first:
            size = (first.height, first.width)
    chosen = files[0][:: -(-len(files[0]) // _SAMPLE)]
    mean, std = _statistics(bytes_of((Image.open(path) for path in chosen), size))
    train, test = (
        image_files(paths, part.targets, mean, std, size=size)
        for paths, part in zip(files, parts, strict=True)
    )
    return divided(
        train,
        test,
        len(parts[0].classes),
        num_tasks=num_tasks,
        label_sets=label_sets,
        timeline=timeline,
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
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
) -> ParallelBenchmark:
    """Parallel streams of arrays in a NumPy file.

    Images, which are uint8 ``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]`` with C = 1 or 3,
    become inputs ``[C, H, W]``, normalised by channel over the training images; floating-point
    arrays ``[N, ...]`` are taken as they are, in single precision.

    :param file: ``.npz`` with ``x_train``, ``y_train``, ``x_test`` and ``y_test``; other arrays in
        it are ignored. It is read without pickle.
    :param scenario: ``"task"`` or ``"class"``.
    :param seed: of the label sets and the time line, where they are not given, and of the order of
        delivery.
    :param batch_size: samples of each task at each tick.
    :param num_tasks: number of tasks, where no label sets are given.
    :param label_sets: classes of each task.
    :param timeline: is fitted to the data; random without idle gap if omitted.
    :raises FileNotFoundError: if the file is not there.
    :raises ValueError: if it is no such file, or arrays are missing or do not fit together.
    """
    arrays = _read(Path(file))
    parts = [(arrays[f"x_{part}"], arrays[f"y_{part}"], part) for part in ("train", "test")]
    inputs = [_inputs(x, y, part, file) for x, y, part in parts]
    if inputs[0].shape[1:] != inputs[1].shape[1:] or inputs[0].dtype != inputs[1].dtype:
        raise ValueError(
            f"`file` {str(file)!r} must have samples of one kind in x_train and x_test, found "
            f"{parts[0][0].dtype} {parts[0][0].shape[1:]} and {parts[1][0].dtype} "
            f"{parts[1][0].shape[1:]}."
        )
    labels = [torch.from_numpy(y.astype(np.int64)) for _, y, _ in parts]
    train: Dataset[Any]
    test: Dataset[Any]
    if inputs[0].dtype == torch.uint8:
        mean, std = _statistics(inputs[0][:: -(-len(inputs[0]) // _SAMPLE)])
        train, test = (ImagesInMemory(x, y, mean, std) for x, y in zip(inputs, labels, strict=True))
    else:
        train, test = (TensorDataset(x, y) for x, y in zip(inputs, labels, strict=True))
    return divided(
        train,
        test,
        int(labels[0].max()) + 1,
        num_tasks=num_tasks,
        label_sets=label_sets,
        timeline=timeline,
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
    )


def _folder(path: Path) -> ImageFolder:
    try:
        return ImageFolder(str(path))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"`directory` must have the folders train and test, each with one folder of images "
            f"for each class: {str(error).splitlines()[0]}"
        ) from None


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise FileNotFoundError(f"`file` {str(file)!r} is not there.")
    try:
        with np.load(file, allow_pickle=False) as found:
            missing = [key for key in _KEYS if key not in found.files]
            if missing:
                raise ValueError(f"it has no {', '.join(missing)}")
            return {key: found[key] for key in _KEYS}
    except (ValueError, AttributeError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"`file` {str(file)!r} must be a NumPy .npz file with x_train, y_train, x_test and "
            f"y_test, of numbers only: {error}."
        ) from None


def _inputs(x: Any, y: Any, part: str, file: str | Path) -> Tensor:
    """Make a tensor: images as uint8 ``[N, C, H, W]``, others as float32 ``[N, ...]``."""
    if y.shape != (len(x),) or y.dtype.kind not in "iu" or len(y) == 0 or int(y.min()) < 0:
        raise ValueError(
            f"`file` {str(file)!r} must have class labels ≥ 0 in y_{part}, one for each of the "
            f"{len(x)} samples of x_{part}, found {y.dtype} {y.shape}."
        )
    if x.dtype.kind == "f" and x.ndim >= 2:
        return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
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


def _statistics(images: Tensor) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of pixels in [0, 1], by channel; a constant one has 1."""
    pixels = images.double().div(255.0).transpose(0, 1).flatten(1)
    std = pixels.std(dim=1)
    return pixels.mean(dim=1).tolist(), torch.where(std > 0.0, std, 1.0).tolist()
