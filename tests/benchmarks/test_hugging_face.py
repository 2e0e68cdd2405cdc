"""Data sets of ``datasets``: of the library if it is installed, and of a stand-in."""

import importlib
import re
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.benchmarks import hugging_face
from tests.benchmarks.own_data import Bag, assert_centred, loaded
from tests.benchmarks.rows import (
    FEATURES,
    NAMES,
    N,
    Rows,
    columns,
    each_kind,
    feature,
    library_rows,
    made,
    rows_of,
)


@pytest.mark.parametrize(
    ("column", "shape", "dtype"),
    [
        ("picture", (3, 6, 7), torch.float32),
        ("pixels", (1, 4, 5), torch.float32),
        ("vector", (3,), torch.float32),
        ("tokens", (4,), torch.int64),
    ],
)
@each_kind
def test_kinds_of_inputs(column, shape, dtype, make):
    benchmark = made(make(), input_column=column)
    assert benchmark.input_shape == shape
    assert benchmark.class_names == dict(enumerate(NAMES))
    x, y, _ = loaded(benchmark)
    assert x.dtype == dtype
    assert len(x) == N
    if len(shape) == 3:
        assert_centred(x)
    elif column == "vector":
        found = {(*row, label) for row, label in zip(x.tolist(), y.tolist(), strict=True)}
        known = columns()
        vectors = np.array(known["vector"], dtype=np.float32).tolist()
        assert found == {(*row, label) for row, label in zip(vectors, known["label"], strict=True)}
    else:
        assert torch.equal(x, 4 * y[:, None] + torch.arange(4))


@each_kind
def test_text_is_a_label_too(make):
    assert made(make(), label_column="word").class_names == dict(enumerate(sorted(NAMES)))


def test_formats_and_order_of_the_library_do_not_matter():
    whole = library_rows()
    known = made(whole)
    assert made(whole.with_format("torch")) == known
    x = {tuple(row) for row in loaded(made(whole.shuffle(seed=1)))[0].tolist()}
    assert x == {tuple(row) for row in loaded(known)[0].tolist()}


@each_kind
def test_an_embedding_is_trained_on_tokens(make):
    benchmark = made(make(), input_column="tokens", batch_size=2, scenario="task")
    model = Bag()
    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.1),
        memory_size=8,
        evaluator=None,
    )
    before = model.embedding.weight.clone()
    strategy.train(benchmark.train_stream)
    assert strategy.memory.inputs.dtype == torch.int64
    assert not torch.equal(model.embedding.weight, before)


WRONG = [
    ({}, {"input_column": "vektor"}, "`input_column` 'vektor' is no column of `train`"),
    ({}, {"input_column": "vektor"}, "Did you mean 'vector'?"),
    ({}, {"label_column": None}, "`label_column` None is no column of `train`"),
    ({}, {"input_column": "label"}, "`input_column` 'label' is `label_column`, too"),
    ({}, {"input_column": "word"}, "`train` has text in the column 'word': convert it into"),
    ({}, {"input_column": "ragged"}, "[1] in row 0, [2] in row 1: give them one shape"),
    ({}, {"input_column": "number"}, "for parallel_benchmark_from_table(train.to_pandas(), ...)"),
    ({}, {"label_column": "number"}, "which is no whole number, in the column 'number'"),
    ({}, {"label_column": "pixels"}, "`train` has values of type"),
    ({}, {"size": (4, 4)}, "`size` is for columns of images: leave it out"),
    ({}, {"input_column": "picture", "size": 4}, "`size` must be (height, width) in pixels"),
    ({}, {"num_tasks": 5}, "`num_tasks` must be in 1..4, found 5"),
    ({"label": [-1, *[1, 2, 3] * 7, 0, 1]}, {}, "has no class in the column 'label' in row 0 (-1)"),
    ({"label": [None, *[1, 2, 3] * 7, 0, 1]}, {}, "has no value in the column 'label' in row 0"),
    ({"vector": [[0.0, np.nan, 1.0]] * N}, {}, "has NaN or infinite numbers in vector[0]"),
    ({"tokens": [[0, -1, 1, 2]] * N}, {"input_column": "tokens"}, "has -1 in tokens[0]"),
    (
        {"picture": [*columns()["picture"][1:], Image.new("RGB", (9, 9))]},
        {"input_column": "picture"},
        "that of row 23 is 9 × 9, the first 6 × 7: give the `size`",
    ),
    (
        {"picture": [*columns()["picture"][1:], None]},
        {"input_column": "picture"},
        "an image that cannot be used, in row 23: it is missing",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "changes", "message"), WRONG, ids=[row[2] for row in WRONG])
@each_kind
def test_errors_name_the_fault(data, changes, message, make):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        made(make(**data), **changes)
    assert "\n" not in str(caught.value)


@each_kind
def test_classes_of_both_must_agree(make):
    with pytest.raises(
        ValueError, match="There are classes in `train` that are missing in `test`: cat"
    ):
        made(make(), make(label=[1, 2, 3] * 8))
    other = {**FEATURES, "label": feature("ClassLabel", names=NAMES[::-1], dtype="int64")}
    with pytest.raises(ValueError, match="must have the same names of classes in the column"):
        made(rows_of(), Rows(columns(), other))


def test_inputs_of_both_must_agree():
    with pytest.raises(ValueError, match=r"of one kind .* found float32 \[3\] and float32 \[2\]"):
        made(rows_of(), rows_of(vector=[[0.0, 1.0]] * N))


class IterableDataset(Rows):
    pass


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ([1, 2], "`test` must be a datasets.Dataset, found list"),
        ("mnist", "`test` must be a datasets.Dataset, found str"),
        ({"train": 1, "test": 2}, "`test` is a dict of train, test: give one of them, such as"),
        (IterableDataset(columns()), "`test` is an IterableDataset, which has no rows by index"),
        (Rows(columns(), kind="custom"), "`test` has a transform of its own"),
        (Rows({name: [] for name in columns()}), "`test` has no rows"),
    ],
)
def test_other_types_than_data_sets_are_refused(dataset, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        made(rows_of(), dataset)


def test_other_types_of_the_library_are_refused():
    datasets, whole = pytest.importorskip("datasets"), library_rows()
    for other, words in (
        (whole.to_iterable_dataset(), "is an IterableDataset, which has no rows by index"),
        (datasets.DatasetDict(a=whole, b=whole), "is a DatasetDict of a, b: give one of them"),
        (whole.with_transform(lambda batch: batch), "has a transform of its own"),
    ):
        with pytest.raises(ValueError, match=words):
            made(other, whole)
    undecoded = whole.cast_column("picture", datasets.Image(decode=False))
    with pytest.raises(ValueError, match="has images that are not decoded"):
        made(undecoded, input_column="picture")


def test_the_library_is_not_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)  # an import fails
    again = importlib.reload(hugging_face)
    arguments = {"input_column": "vector", "label_column": "label", "num_tasks": 2}
    benchmark = again.parallel_benchmark_from_hugging_face(rows_of(), rows_of(), **arguments)
    assert benchmark == made(rows_of())
