"""Values that a state holds are restored as they were, or refused by name."""

import random
from collections import defaultdict, deque

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.reader import Reader
from avalanche_emgd.training.state.writer import KIND, KnownObjects, Writer
from tests.training.common import toy_model
from tests.training.state.common import as_file, from_file

KEYS = st.text("ab", max_size=2) | st.integers(0, 5) | st.tuples(st.integers(0, 2))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab c")
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(st.integers(), max_size=3)
        | st.frozensets(st.text("ab"), max_size=3)
        | st.lists(inner, max_size=3).map(deque)
    ),
    max_leaves=10,
)


def reader():
    return Reader(toy_model(), torch.device("cpu"), "`plugins`")


def written(value):
    """A value as a file gives it back, still plain."""
    return from_file(as_file({"a": Writer(KnownObjects(), "x").value(value, "x", 0)}))["a"]


@settings(max_examples=100)
@given(VALUES)
def test_values_come_back_as_they_were(value):
    found = reader().value(written(value), None, "x")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        torch.float16,
        torch.device("cpu"),
        torch.Size([2, 3]),
        {"a": {1, 2}, (1, "b"): [deque([1.5])]},
    ],
    ids=str,
)
def test_values_of_pytorch_come_back(value):
    assert reader().value(written(value), None, "x") == value


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", ">f8", "?"])
def test_arrays_keep_their_type(dtype):
    array = np.array([[0, 1], [1, 0]], dtype=dtype)
    found = reader().value(written(array), None, "x")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_containers_and_generators_of_the_fresh_object_are_changed_in_place():
    numbers, table = [9, 9, 9], {"old": 1}
    queue, default = deque([1], maxlen=2), defaultdict(list)
    read = reader()
    assert read.value(written([1, 2]), numbers, "x") is numbers
    assert read.value(written({"a": 1}), table, "x") is table
    assert (numbers, table) == ([1, 2], {"a": 1})
    assert read.value(written(deque([1, 2])), queue, "x").maxlen == 2
    assert read.value(written({"a": [1]}), default, "x") is default
    saved = (random.Random(1), np.random.default_rng(1), torch.Generator().manual_seed(1))
    fresh = (random.Random(2), np.random.default_rng(2), torch.Generator())
    for one, other in zip(saved, fresh, strict=True):
        assert read.value(written(one), other, "x") is other
    assert saved[0].random() == fresh[0].random()
    assert saved[1].random() == fresh[1].random()
    assert torch.equal(saved[2].get_state(), fresh[2].get_state())


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({KIND: "eval", "value": "1"}, "is of the unknown kind 'eval'"),
        ({"value": 1}, "is of the unknown kind None"),
        ({KIND: "dtype", "value": "torch.load"}, "has the unknown dtype 'torch.load'"),
        ({KIND: "dtype", "value": "float99"}, "has the unknown dtype"),
        ({KIND: "state", "value": {}}, "cannot be restored, because the strategy that loads it"),
        ({KIND: "object", "class": "Popen", "value": {}}, "cannot be restored"),
        ({KIND: "weighting", "value": {}, "attributes": {}}, "cannot be restored"),
    ],
    ids=["kind", "none", "function", "dtype", "state", "object", "weighting"],
)
def test_what_cannot_be_restored_is_named(plain, words):
    with pytest.raises(StateError, match=f"`x` of the state {words}"):
        reader().value(plain, None, "x")


def test_a_module_of_other_shapes_is_refused():
    plain = written(nn.Linear(3, 3))
    assert torch.equal(
        reader().value(plain, nn.Linear(3, 3), "x").weight, plain["value"]["tensors"]["weight"]
    )
    with pytest.raises(StateError, match="`x` of the state cannot be restored"):
        reader().value(plain, nn.Linear(3, 2), "x")
