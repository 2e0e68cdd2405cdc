import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd.benchmarks import inputs
from avalanche_emgd.benchmarks.inputs import InputError, extremes_of, kind_of, non_finite_row


def test_kinds_of_tensors_and_arrays():
    kind = kind_of(torch.zeros(3, 4))
    assert str(kind) == "float32 [3, 4]"
    other = kind_of(np.zeros((3, 4), np.float32))
    assert kind != other
    assert kind.agrees(other)
    assert not kind.agrees(kind_of(torch.zeros(3, 5)))
    assert not kind.agrees(kind_of(torch.zeros(3, 4).double()))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (Image.new("L", (2, 2)), "is a Pillow image of mode L"),
        ([1.0], "is of type list"),
        (np.array(["a"]), "cannot be a tensor"),
        (torch.eye(2).to_sparse(), "layout torch.sparse_coo: make it dense"),
        (torch.zeros(2, 0), r"is empty: its shape is \[2, 0\]"),
        (torch.tensor([1.0, float("inf")]), "has NaN or infinite numbers"),
    ],
)
def test_other_inputs_are_described(x, message):
    with pytest.raises(InputError, match=message):
        kind_of(x)


def test_the_first_row_that_is_not_finite(monkeypatch):
    rows = torch.zeros(9, 2)
    rows[[4, 7], 1] = float("nan")
    for chunk in (1, 4, 1 << 20):
        monkeypatch.setattr(inputs, "_CHUNK", chunk)
        assert non_finite_row(rows, None) == 4
        assert non_finite_row(rows, torch.tensor([0, 7, 4])) == 1
        assert non_finite_row(rows, torch.tensor([0, 1])) is None
    assert non_finite_row(torch.zeros(3, 1, dtype=torch.long), None) is None
    assert non_finite_row(rows[:0], None) is None


def test_extremes_of_integers():
    rows = torch.tensor([[3, 9], [-1, 2]])
    assert extremes_of(rows, None) == (-1, 9)
    assert extremes_of(rows, torch.tensor([0])) == (3, 9)
    assert extremes_of(rows.float(), None) is None
    assert extremes_of(rows > 0, None) is None
