"""Parallel streams of user-defined arrays."""

from __future__ import annotations

from pathlib import Path

import torch
from typing_extensions import Unpack

from .._options import with_defaults
from .._paths import checked_path
from ._array_inputs import datasets_of, inputs_of_array
from ._class_labels import check_classes, class_labels
from ._decoded import Decoded, decoded_once
from ._npz import read_arrays
from ._ready_made import divided
from .parallel import ParallelBenchmark
from .stream_options import StreamOptions

__all__ = ["parallel_benchmark_from_arrays"]

_KEYS = ("x_train", "y_train", "x_test", "y_test")


def parallel_benchmark_from_arrays(
    file: str | Path,
    **options: Unpack[StreamOptions],
) -> ParallelBenchmark:
    """Make parallel streams of arrays in a NumPy file.

    Images are uint8 ``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]`` with C = 1 or 3. They
    become inputs ``[C, H, W]``, normalised by channel over the training images. Floating-point
    arrays ``[N, ...]`` are converted to single precision. Integers ``[N, length]`` of another type
    than uint8 are token ids ≥ 0. They become inputs int64 ``[length]``, for a model that begins
    with an embedding.

    Labels are whole numbers or text, ``[N]`` or ``[N, 1]``. Unless the training labels are
    0, 1, 2, ..., classes are numbered anew in ascending order. The benchmark's ``class_names`` are
    the labels in the file.

    :param file: ``.npz`` file with ``x_train``, ``y_train``, ``x_test`` and ``y_test``; other
        arrays are ignored. The file is read without pickle. The limits of the size of its arrays
        are :data:`~avalanche_emgd.benchmarks.limits.MEMORY_SHARE` and
        :data:`~avalanche_emgd.benchmarks.limits.MOST_EXPANSION`.
    :param options: keyword options, see :class:`StreamOptions`; ``label_sets`` has the labels as
        given in the file.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the file is not an ``.npz`` file, or arrays are missing, too large or of
        shapes that do not agree.
    """
    chosen = with_defaults(StreamOptions, options, "parallel_benchmark_from_arrays")
    path = checked_path(file, "file")
    found = decoded_once("arrays", [path], lambda: _decoded(path))
    x_train, y_train, x_test, y_test = found.tensors
    names: dict[int, str] = dict(found.facts)
    classes = [y.unique().tolist() for y in (y_train, y_test)]
    if chosen["label_sets"] is None:
        check_classes(classes, names, ("y_train", "y_test"), f"`file` {str(file)!r} has")
    train, test = datasets_of((x_train, x_test), (y_train, y_test))
    return divided(
        train,
        test,
        classes[0],
        chosen,
        class_names=names,
    )


def _decoded(file: Path) -> Decoded:
    """Read and check the training arrays, then the test arrays, with the names of the classes."""
    arrays = read_arrays(file, _KEYS)
    parts = [(arrays[f"x_{part}"], arrays[f"y_{part}"], part) for part in ("train", "test")]
    owner = f"`file` {str(file)!r}"
    try:
        labels, names = class_labels([y for _, y, _ in parts], ("y_train", "y_test"))
    except ValueError as error:
        raise ValueError(f"{owner}: {error}") from None
    for (x, y, part), own in zip(parts, labels, strict=True):
        if x.ndim and len(own) == len(x) == 0:
            raise ValueError(f"{owner} has no samples in x_{part}: give at least one.")
        if x.ndim == 0 or len(own) != len(x):
            raise ValueError(
                f"{owner} must have one class label in y_{part} for each of the "
                f"samples of x_{part}, found shapes {y.shape} and {x.shape}."
            )
    inputs = [inputs_of_array(x, owner, f"x_{part}") for x, _, part in parts]
    if inputs[0].shape[1:] != inputs[1].shape[1:] or inputs[0].dtype != inputs[1].dtype:
        raise ValueError(
            f"{owner} must have samples of one kind in x_train and x_test, found "
            f"{parts[0][0].dtype} {parts[0][0].shape[1:]} and {parts[1][0].dtype} "
            f"{parts[1][0].shape[1:]}."
        )
    targets = [torch.tensor(own) for own in labels]
    return Decoded((inputs[0], targets[0], inputs[1], targets[1]), names)
