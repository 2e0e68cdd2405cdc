"""Inputs without labels."""

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd.benchmarks.unlabelled import arrays_in, images_in, pixels_of


def test_images_of_all_subfolders_are_listed_in_order(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/one.png", "a.PNG", "notes.txt"):
        Image.new("RGB", (4, 3), (255, 0, 0)).save(tmp_path / name, format="PNG")
    assert images_in(tmp_path) == ["a.PNG", "b/one.png"]
    found = pixels_of([str(tmp_path / "a.PNG")] * 2, (3, 6, 8))
    assert found.shape == (2, 3, 6, 8)
    assert found.dtype == torch.uint8
    assert found[:, 0].eq(255).all()
    assert pixels_of([str(tmp_path / "a.PNG")], (1, 3, 4)).shape == (1, 1, 3, 4)


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_folders_without_images_are_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=f"`images` .*{name}"):
        images_in(tmp_path / name)


@pytest.mark.parametrize("key", ["x", "x_test"])
def test_samples_of_arrays_are_found_by_either_name(tmp_path, key):
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    np.savez(tmp_path / "a.npz", **{key: x})
    assert torch.equal(arrays_in(tmp_path / "a.npz"), torch.from_numpy(x))
    np.savez(tmp_path / "b.npz", y=x)
    with pytest.raises(ValueError, match="it has no x"):
        arrays_in(tmp_path / "b.npz")
