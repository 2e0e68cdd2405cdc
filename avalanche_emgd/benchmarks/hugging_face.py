"""Parallel streams of data sets of Hugging Face's library ``datasets``, without its import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import Unpack

from .._near import did_you_mean
from .._options import with_defaults
from .._text_files import excerpt, first_line
from ._array_inputs import datasets_of, inputs_of_array
from ._class_labels import check_classes
from ._image_reading import check_size
from ._ready_made import divided
from ._rows_of_images import RowsOfImages, datasets_of_images
from ._table_columns import Column, categories
from .limits import MEMORY_SHARE
from .parallel import ParallelBenchmark
from .stream_options import StreamOptions

__all__ = ["parallel_benchmark_from_hugging_face"]

_NEEDED = ("column_names", "features", "format", "with_format", "select_columns", "__len__")
_PAD = "give them one shape, for texts by the tokenizer's padding='max_length' and truncation=True"


def parallel_benchmark_from_hugging_face(
    train: Any,
    test: Any,
    *,
    input_column: str,
    label_column: str,
    size: tuple[int, int] | None = None,
    **options: Unpack[StreamOptions],
) -> ParallelBenchmark:
    """Make parallel streams of two data sets of the library ``datasets``.

    A column of type ``Image`` gives inputs ``[3, H, W]``, RGB, normalised to zero mean and unit
    variance by channel. The statistics are those of up to 2,000 evenly spread training images.
    Images are decoded into memory once if they fit.

    A column of arrays, or of lists of one length, is read like the arrays of
    :func:`~avalanche_emgd.parallel_benchmark_from_arrays`. Arrays of uint8 are images, integers
    ``[length]`` are token ids, and floating-point numbers are converted to single precision.

    Labels are a ``ClassLabel``, whole numbers or text. The names of a ``ClassLabel`` become the
    benchmark's ``class_names``.

    :param train: ``datasets.Dataset`` with the training rows, in any format, without
        ``set_transform``.
    :param test: ``datasets.Dataset`` with the test rows.
    :param input_column: name of the column with the inputs.
    :param label_column: name of the column with the classes.
    :param size: (height, width) to which images are scaled; needed unless all have one size.
    :param options: keyword options, see :class:`StreamOptions`; ``label_sets`` has the labels as
        given in the data. Text labels are numbered from 0 in alphabetical order.
    :raises ValueError: if an argument is not such a data set, or a column is missing. Also if a row
        has no label, no input or an input of another shape; the message names the row, from 0.
    """
    chosen = with_defaults(StreamOptions, options, "parallel_benchmark_from_hugging_face")
    if size is not None:
        size = check_size(size)
    parts = [(_checked(train, "train"), "train"), (_checked(test, "test"), "test")]
    for part, name in parts:
        for column, argument in ((input_column, "input_column"), (label_column, "label_column")):
            _check_column(part, column, argument, name)
    if input_column == label_column:
        raise ValueError(f"`input_column` {input_column!r} is `label_column`, too.")
    labels, class_names = _labels(parts, label_column)
    if chosen["label_sets"] is None:
        check_classes(labels, class_names, ("`train`", "`test`"))
    sets: Sequence[Dataset[Any]]
    images = [_as_images(part, input_column, name) for part, name in parts]
    if images[0] is not None and images[1] is not None:
        rows = [each for each in images if each is not None]
        sets = datasets_of_images(rows, labels, size, chosen["batch_size"])
    else:
        if size is not None:
            raise ValueError("`size` is for columns of images: leave it out.")
        inputs = [_inputs(part, input_column, name) for part, name in parts]
        kinds = [f"{str(x.dtype).removeprefix('torch.')} {list(x.shape[1:])}" for x in inputs]
        if kinds[0] != kinds[1]:
            raise ValueError(
                f"`train` and `test` must have inputs of one kind in the column {input_column!r}, "
                f"found {kinds[0]} and {kinds[1]}."
            )
        sets = datasets_of(inputs, [torch.tensor(own) for own in labels])
    return divided(
        sets[0],
        sets[1],
        sorted(set(labels[0])),
        chosen,
        class_names=class_names,
    )


def _checked(dataset: Any, name: str) -> Any:
    """Check that an argument is a data set of rows by index."""
    kind = type(dataset).__name__
    if isinstance(dataset, dict):
        splits = ", ".join(map(str, dataset))
        first = next(iter(dataset), "train")
        raise ValueError(
            f"`{name}` is a {kind} of {splits[:100]}: give one of them, such as [{first!r}]."
        )
    if any("IterableDataset" in each.__name__ for each in type(dataset).__mro__):
        raise ValueError(
            f"`{name}` is an {kind}, which has no rows by index: load it without streaming=True."
        )
    if not all(hasattr(dataset, each) for each in _NEEDED):
        raise ValueError(f"`{name}` must be a datasets.Dataset, found {kind}.")
    if len(dataset) == 0:
        raise ValueError(f"`{name}` has no rows.")
    if dataset.format["type"] == "custom":
        raise ValueError(
            f"`{name}` has a transform of its own, from set_transform or with_transform, which may "
            "give other rows each time: apply it with `map` instead."
        )
    return dataset


def _check_column(dataset: Any, column: Any, argument: str, name: str) -> None:
    if column not in dataset.column_names:
        known = ", ".join(dataset.column_names)
        raise ValueError(
            f"`{argument}` {excerpt(column)} is no column of `{name}`, which has {known[:300]}."
            f"{did_you_mean(column, dataset.column_names)}"
        )


def _labels(
    parts: Sequence[tuple[Any, str]], column: str
) -> tuple[list[list[int]], dict[int, str]]:
    """Read the labels of both data sets, and the names of the classes."""
    columns, names = [], []
    for part, name in parts:
        values = part.select_columns([column]).with_format("arrow")[:].column(column)
        columns.append(Column(values, f"`{name}`", column, is_text=False, first_row=0))
        names.append(getattr(part.features[column], "names", None))
    if names[0] != names[1]:
        raise ValueError(
            f"`train` and `test` must have the same names of classes in the column {column!r}, "
            f"found {excerpt(names[0])} and {excerpt(names[1])}."
        )
    labels, class_names = categories(columns)
    if names[0] is None:
        return labels, class_names
    for own, (_, name) in zip(labels, parts, strict=True):
        missing = next((row for row, label in enumerate(own) if label < 0), None)
        if missing is not None:
            raise ValueError(
                f"`{name}` has no class in the column {column!r} in row {missing} ({own[missing]}):"
                " leave the row out."
            )
    return labels, {label: str(names[0][label]) for label in class_names}


def _as_images(dataset: Any, column: str, name: str) -> RowsOfImages | None:
    """Return the images of a column; ``None`` for a column of another type."""
    rows = dataset.select_columns([column]).with_format(None)
    declared = type(dataset.features[column]).__name__ == "Image"
    found = RowsOfImages(rows, column, f"`{name}`")
    if declared and getattr(dataset.features[column], "decode", True):
        return found
    return found if not declared and isinstance(rows[0][column], Image.Image) else None


def _inputs(dataset: Any, column: str, name: str) -> Tensor:
    """Load the inputs of a column of arrays, ``[N, ...]``."""
    owner = f"`{name}`"
    rows = dataset.select_columns([column]).with_format("numpy")
    kind = _element_type(dataset.features[column])
    if kind in ("string", "large_string"):
        raise ValueError(
            f"{owner} has text in the column {column!r}: convert it into token ids with `map` and "
            "a tokenizer, with padding='max_length' and truncation=True."
        )
    if type(dataset.features[column]).__name__ in ("Image", "dict"):
        raise ValueError(
            f"{owner} has images that are not decoded, or several fields, in the column "
            f"{column!r}: for images, cast_column({column!r}, datasets.Image())."
        )
    try:
        first = np.asarray(rows[0][column])
        needed, free = 8 * first.size * len(rows), psutil.virtual_memory().available
        if needed > MEMORY_SHARE * free:
            raise ValueError(
                f"its numbers may take {needed / 1e9:.3g} GB, more than {MEMORY_SHARE:.0%} of the "
                f"{free / 1e9:.3g} GB of free memory: select fewer rows"
            )
        values = np.asarray(rows[:][column])
    except Exception as error:  # decoders raise errors of many kinds
        words = first_line(error)[:200].rstrip(".")
        raise ValueError(f"{owner} cannot give its column {column!r}: {words}.") from None
    if values.dtype == object:
        _refuse_objects(values, owner, column)
    if values.ndim == 1:
        raise ValueError(
            f"{owner} has one number in each row of the column {column!r}: several columns of "
            "numbers are a table, for parallel_benchmark_from_table(train.to_pandas(), ...)."
        )
    if kind is not None and np.issubdtype(values.dtype, np.integer) and "int" in kind:
        values = values.astype(kind)
    return inputs_of_array(values, owner, column)


def _element_type(feature: Any) -> str | None:
    """Return the type of the numbers of a feature, which may be nested lists."""
    while getattr(feature, "feature", None) is not None:
        feature = feature.feature
    return getattr(feature, "dtype", None)


def _refuse_objects(values: Any, owner: str, column: str) -> None:
    first = values[0]
    for row, value in enumerate(values):
        if value is None:
            raise ValueError(
                f"{owner} has no value in the column {column!r} in row {row}: leave the row out."
            )
        if np.shape(value) != np.shape(first):
            raise ValueError(
                f"{owner} has inputs of different shapes in the column {column!r}: "
                f"{list(np.shape(first))} in row 0, {list(np.shape(value))} in row {row}: {_PAD}."
            )
    raise ValueError(
        f"{owner} has {type(first).__name__} in the column {column!r} instead of arrays of numbers."
    )
