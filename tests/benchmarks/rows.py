"""A stand-in for ``datasets.Dataset`` with the part of its interface that benchmarks use."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from avalanche_emgd import parallel_benchmark_from_hugging_face

N = 24
NAMES = ["cat", "ant", "dog", "bee"]


def feature(kind, **facts):
    """Make a feature; its class has the name of a class of the library."""
    return type(kind, (SimpleNamespace,), {})(**facts)


FEATURES = {
    "picture": feature("Image", decode=True, dtype="PIL.Image.Image"),
    "raw": feature("Image", decode=False, dtype="PIL.Image.Image"),
    "pixels": feature("Array2D", shape=(4, 5), dtype="uint8"),
    "vector": feature("List", length=3, feature=feature("Value", dtype="float64")),
    "tokens": feature("List", length=4, feature=feature("Value", dtype="int32")),
    "ragged": feature("List", length=-1, feature=feature("Value", dtype="int64")),
    "number": feature("Value", dtype="float64"),
    "word": feature("Value", dtype="string"),
    "label": feature("ClassLabel", names=NAMES, dtype="int64"),
}


class Rows:
    """Columns of equal length."""

    def __init__(self, columns, features=FEATURES, kind=None):
        self._columns, self._kind = columns, kind
        self.features = {name: features[name] for name in columns}
        self.column_names = list(columns)
        self.format = {"type": kind}

    def __len__(self):
        return len(next(iter(self._columns.values())))

    def with_format(self, kind):
        return Rows(self._columns, self.features, kind)

    def select_columns(self, names):
        return Rows({name: self._columns[name] for name in names}, self.features, self._kind)

    def __getitem__(self, place):
        found = {name: values[place] for name, values in self._columns.items()}
        if self._kind == "arrow":
            return pa.table({name: pa.array(values) for name, values in found.items()})
        if self._kind == "numpy":
            return {name: _array(values) for name, values in found.items()}
        return found


def _array(values):
    """Convert as the library does: integers in 64 bits, others in 32, ragged values as objects."""
    try:
        found = np.array(values)
    except ValueError:
        found = None
    if found is None or found.dtype == object:
        found = np.empty(len(values), dtype=object)
        found[:] = [None if value is None else np.array(value) for value in values]
        return found
    return found.astype(
        {"i": np.int64, "u": np.int64, "f": np.float32}.get(found.dtype.kind, found.dtype)
    )


def columns(seed=0):
    """Columns of every kind, ``N`` rows of four classes."""
    generator = np.random.default_rng(seed)
    pictures = generator.integers(0, 256, (N, 6, 7, 3), dtype=np.uint8)
    labels = [row % 4 for row in range(N)]
    return {
        "picture": [Image.fromarray(each) for each in pictures],
        "pixels": generator.integers(0, 256, (N, 4, 5)).tolist(),
        "vector": generator.normal(size=(N, 3)).tolist(),
        "tokens": [[4 * label + place for place in range(4)] for label in labels],
        "ragged": [[1] * (1 + row % 2) for row in range(N)],
        "number": [0.5] * N,
        "word": [NAMES[label] for label in labels],
        "label": labels,
    }


def rows_of(**changes):
    """The columns as the stand-in."""
    return Rows({**columns(), **changes})


def library_rows(**changes):
    """The columns as a data set of the library."""
    datasets = pytest.importorskip("datasets")
    integers = {name: datasets.Value(name) for name in ("int32", "int64")}
    features = datasets.Features(
        {
            "picture": datasets.Image(),
            "pixels": datasets.Array2D((4, 5), "uint8"),
            "vector": datasets.Sequence(datasets.Value("float64"), length=3),
            "tokens": datasets.Sequence(integers["int32"], length=4),
            "ragged": datasets.Sequence(integers["int64"]),
            "number": datasets.Value("float64"),
            "word": datasets.Value("string"),
            "label": datasets.ClassLabel(names=NAMES),
        }
    )
    return datasets.Dataset.from_dict({**columns(), **changes}, features=features)


each_kind = pytest.mark.parametrize("make", [rows_of, library_rows], ids=["stand-in", "library"])


def made(train, test=None, **changes):
    arguments = {"input_column": "vector", "label_column": "label", "num_tasks": 2, **changes}
    return parallel_benchmark_from_hugging_face(train, train if test is None else test, **arguments)
