import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from avalanche_emgd.benchmarks._array_inputs import datasets_of, inputs_of_array
from avalanche_emgd.benchmarks.images import ImagesInMemory


def inputs(x):
    return inputs_of_array(x, "`data`", "x_train")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((2, 4, 5), (2, 1, 4, 5)), ((2, 4, 5, 3), (2, 3, 4, 5)), ((2, 3, 4, 5), (2, 3, 4, 5))],
)
def test_images_have_their_channels_first(shape, expected):
    x = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    found = inputs(x)
    assert found.dtype == torch.uint8
    assert found.shape == expected
    assert sorted(found.flatten().tolist()) == sorted(x.flatten().tolist())


def test_other_numbers_are_float32_and_token_ids_int64():
    assert inputs(np.ones((2, 3), np.float64)).dtype == torch.float32
    assert inputs(np.ones((2, 3), np.int32)).dtype == torch.int64


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.full((3, 2), 1e300), r"NaN or infinite numbers in x_train\[0\]"),
        (np.array([[0.0], [np.nan]]), r"NaN or infinite numbers in x_train\[1\]"),
        (np.array([[1, 2], [3, -1]]), r"has -1 in x_train\[1\], which is no token id"),
        (np.ones((3, 0)), "samples without a number in x_train"),
        (np.ones((3, 2), bool), "must have uint8 images"),
        (np.ones((2, 5, 5, 4), np.uint8), "with 1 or 3 channels"),
    ],
)
def test_other_arrays_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        inputs(x)


def test_images_are_normalised_over_the_training_images():
    x = torch.randint(0, 256, (40, 1, 3, 3), dtype=torch.uint8)
    train, test = datasets_of([x, x[:5]], [torch.arange(40), torch.arange(5)])
    assert isinstance(test, ImagesInMemory)
    pixels = torch.stack([train[k][0] for k in range(40)])
    torch.testing.assert_close(pixels.mean(), torch.tensor(0.0), atol=1e-5, rtol=0.0)
    assert torch.equal(test[3][0], train[3][0])
    assert all(isinstance(each, TensorDataset) for each in datasets_of([x.float()] * 2, [x] * 2))
