"""Labels of data sets of all kinds are used as class labels, or refused with the sample's index."""

import re

import numpy as np
import pytest
import torch

from tests.benchmarks.made_data import (
    SETS,
    Made,
    as_one_task,
    from_classes,
)

LABELS = {
    "int": int,
    "bool-like": np.int8,
    "numpy int64": np.int64,
    "numpy uint8": np.uint8,
    "numpy float": np.float32,
    "float": float,
    "0-d tensor": torch.tensor,
    "0-d float tensor": lambda y: torch.tensor(float(y)),
    "uint8 tensor": lambda y: torch.tensor(y, dtype=torch.uint8),
    "(1,) tensor": lambda y: torch.tensor([y]),
    "(1,) array": lambda y: np.array([y]),
    "(1, 1) array": lambda y: np.array([[y]], dtype=np.uint16),
    "0-d array": lambda y: np.array(y),
}


@pytest.mark.parametrize("kind", LABELS.values(), ids=LABELS)
def test_labels_of_samples(kind):
    benchmark = from_classes(Made(y=kind))
    plain = from_classes(Made())
    assert benchmark.label_sets == ((0, 1), (2, 3))
    for one, other in zip(benchmark.train_stream, plain.train_stream, strict=True):
        for a, b in zip(one.load_ticks(), other.load_ticks(), strict=True):
            assert list(map(torch.equal, a, b)) == [True, True, True]


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        torch.tensor,
        np.array,
        lambda y: np.array(y, dtype=np.uint8)[:, None],
        lambda y: torch.tensor(y, dtype=torch.float64),
        lambda y: torch.tensor(y, dtype=torch.bfloat16),
        lambda y: [torch.tensor(each) for each in y],
        lambda y: [np.array([each]) for each in y],
        lambda y: np.array(y, dtype=object),
    ],
)
def test_targets_of_data_sets(kind):
    data = Made()
    data.targets = kind([index % 4 for index in range(40)])
    benchmark = from_classes(data)
    assert benchmark.label_sets == ((0, 1), (2, 3))
    assert set(benchmark.train_stream[0].labels.tolist()) <= {0, 1, 2, 3}


def test_booleans_are_two_classes():
    data = Made(y=lambda y: y > 1)
    assert from_classes(data, [[0], [1]]).label_sets == ((0,), (1,))
    data.targets = np.arange(40) % 4 > 1
    assert from_classes(data, [[False], [True]]).label_sets == ((0,), (1,))


@pytest.mark.parametrize(
    "sets",
    [
        torch.tensor(SETS),
        np.array(SETS),
        list(torch.tensor(SETS)),
        [range(2), range(2, 4)],
        [{1, 0}, {3, 2}],
        [np.array([0, 1], dtype=np.uint8), (np.int64(2), 3.0)],
    ],
)
def test_label_sets_of_any_kind(sets):
    assert from_classes(Made(), sets).label_sets == ((0, 1), (2, 3))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (3, "`label_sets` must be a sequence of label sets, found int"),
        ([0, 1], "`label_sets[0]` must be a set of integer class labels, found '0'"),
        (["01", "23"], "`label_sets[0]` must be a set of integer class labels, found '01'"),
        ([[0], [0.5]], "`label_sets[1]` must be a set of integer class labels, found '[0.5]'"),
        ([[0], [None]], "`label_sets[1]` must be a set of integer class labels"),
        (torch.tensor([0, 1]), "`label_sets[0]` must be a set of integer class labels"),
    ],
)
def test_invalid_label_sets(sets, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        from_classes(Made(), sets)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (lambda y: y + 0.5, "0.5 at index 0"),
        (lambda y: float("nan") if y == 2 else y, "nan at index 2"),
        (lambda y: str(y), "'0' at index 0"),
        (lambda y: None, "None at index 0"),
        (lambda y: torch.eye(4)[y], "a target of shape (4,) at index 0"),
        (lambda y: np.zeros((2, 2)), "a target of shape (2, 2) at index 0"),
        (lambda y: [y], "[0] at index 0"),
        (lambda y: 2**63 if y == 3 else y, "9223372036854775808 at index 3"),
        (lambda y: torch.tensor([]), "a target of shape (0,) at index 0"),
    ],
)
@pytest.mark.parametrize("declared", [False, True])
def test_targets_that_are_not_classes(kind, found, declared):
    data = Made(y=kind)
    if declared:
        data.targets = [kind(index % 4) for index in range(40)]
    for make, name in ((from_classes, "train"), (as_one_task, "train_datasets[0]")):
        with pytest.raises(ValueError, match=re.escape(f"`{name}` must have ")) as e:
            make(data)
        remedy = "number the classes" if "9223" in found else "replace one-hot vectors"
        assert f"found {found}: {remedy}" in str(e.value)
