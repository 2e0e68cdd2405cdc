import numpy as np
import pytest
import torch

from avalanche_emgd._whole_numbers import is_whole


@pytest.mark.parametrize("value", [0, -3, 2**70, np.int64(3), np.uint8(1)])
def test_integers(value):
    assert is_whole(value)


@pytest.mark.parametrize("value", [True, np.True_, 1.0, np.float32(2), "1", None, torch.tensor(1)])
def test_everything_else(value):
    assert not is_whole(value)
