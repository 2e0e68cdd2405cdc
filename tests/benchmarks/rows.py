"""A stand-in for ``datasets.Dataset`` with the part of its interface that benchmarks use."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa


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
    "label": feature("ClassLabel", names=["cat", "ant", "dog", "bee"], dtype="int64"),
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
