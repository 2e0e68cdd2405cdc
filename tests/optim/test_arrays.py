import numpy as np
import pytest
import torch

from avalanche_emgd.optim.arrays import as_array


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int32]
)
def test_values_are_kept_in_float64(dtype):
    tensor = torch.tensor([[1, 2], [3, -4]]).to(dtype)
    found = as_array(tensor)
    assert found.dtype == np.float64
    assert found.tolist() == [[1, 2], [3, -4]]


def test_graphs_are_left():
    tensor = torch.ones(2, dtype=torch.float64, requires_grad=True)
    assert as_array(2 * tensor).tolist() == [2, 2]
