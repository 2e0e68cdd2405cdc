"""Scaling of the feature columns of tables."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Subset

from avalanche_emgd.benchmarks.table_scaling import ScaledRows, Scaling, scaled, scaling_of

numbers = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5), st.floats(0.1, 10.0))
def test_each_column_is_scaled_by_itself(rows, deviation):
    found = scaled(np.array(rows), [1.0, -2.0], [deviation, 1.0])
    assert found.dtype == torch.float32
    for own, (a, b) in zip(found, rows, strict=True):
        assert own.tolist() == [np.float32((a - 1.0) / deviation), np.float32(b + 2.0)]


def test_numbers_that_are_too_large_become_infinite():
    assert scaled([[1e300]], [0.0], [1.0]).isinf().all()


def test_a_subset_has_the_scaling_of_its_data_set():
    scaling = Scaling(("a",), (0.0,), (1.0,))
    rows = ScaledRows(torch.zeros(3, 1), torch.zeros(3), scaling)
    assert scaling_of(Subset(rows, [0, 1])) is scaling
    assert scaling_of(torch.utils.data.TensorDataset(torch.zeros(3))) is None
    assert scaling_of(None) is None
