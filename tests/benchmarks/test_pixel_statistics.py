import numpy as np
import pytest
import torch

from avalanche_emgd.benchmarks._pixel_statistics import PixelStatistics
from tests.benchmarks.pictures import colours


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("batches", [1, 7])
def test_statistics_are_those_of_all_pixels(channels, batches, monkeypatch):
    monkeypatch.setattr("avalanche_emgd.benchmarks._pixel_statistics._CHUNK", 50)
    images = torch.from_numpy(colours(1, (7, channels, 5, 4)))
    found = PixelStatistics(images.chunk(batches))
    pixels = images.transpose(0, 1).flatten(1).numpy().astype(np.float64) / 255.0
    # Both are sums of 140 numbers in [0, 1]: 140 roundings of at most half an epsilon each.
    bound = 140 * np.finfo(np.float64).eps
    np.testing.assert_allclose(found.mean, pixels.mean(1), rtol=0.0, atol=bound)
    np.testing.assert_allclose(found.std, pixels.std(1, ddof=1), rtol=bound, atol=bound)
    assert found.highest == int(images.max())


def test_statistics_of_constant_and_single_pixels():
    constant = PixelStatistics([torch.full((3, 1, 4, 4), 51, dtype=torch.uint8)])
    assert (constant.mean, constant.std) == ([0.2], [1.0])
    single = PixelStatistics([torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)])
    assert (single.mean, single.std) == ([1.0] * 3, [1.0] * 3)
