import logging

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd.benchmarks import image_files as module
from avalanche_emgd.benchmarks._image_reading import common_size
from avalanche_emgd.benchmarks.image_files import ImageFiles, image_files
from avalanche_emgd.benchmarks.images import ImagesInMemory, normalised

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.1)


def colours(n, size=(4, 6), seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (n, *size, 3), dtype=np.uint8)


def test_normalised_by_channel():
    images = torch.from_numpy(colours(3)).permute(0, 3, 1, 2)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    torch.testing.assert_close(normalised(images, MEAN, STD), (images / 255.0 - mean) / std)


def test_one_image_is_the_same_alone_and_among_others():
    images = torch.from_numpy(colours(5)).permute(0, 3, 1, 2).contiguous()
    data = ImagesInMemory(images, torch.arange(5), MEAN, STD)
    assert len(data) == 5
    several = data.__getitems__([4, 1])
    for index, (x, y) in zip((4, 1), several, strict=True):
        assert int(y) == index
        assert torch.equal(x, data[index][0])
    assert x.shape == (3, 4, 6)
    data[0][0].zero_()
    assert torch.equal(data.images, torch.from_numpy(colours(5)).permute(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": torch.zeros(2, 3, 4, 4)}, "`images` must be uint8"),
        ({"images": torch.zeros(2, 4, 4, dtype=torch.uint8)}, "`images` must be uint8"),
        ({"targets": torch.arange(3)}, "`targets` must be one label for each of the 2 images"),
        ({"mean": (0.5,)}, "`mean` and `std` must have a value for each of the 3 channels"),
        ({"std": (0.5, 0.5, 0.0)}, "`std` positive"),
    ],
)
def test_arguments_that_do_not_agree(arguments, message):
    fitting = {
        "images": torch.zeros(2, 3, 4, 4, dtype=torch.uint8),
        "targets": torch.arange(2),
        "mean": MEAN,
        "std": STD,
    }
    with pytest.raises(ValueError, match=message):
        ImagesInMemory(**{**fitting, **arguments})


def test_decoded_images_have_one_mode_and_size(tmp_path):
    paths = [str(tmp_path / f"{name}.png") for name in ("grey", "colour", "small")]
    Image.fromarray(np.full((4, 6), 7, dtype=np.uint8)).save(paths[0])
    Image.fromarray(colours(1)[0]).save(paths[1])
    Image.fromarray(colours(1, (2, 2))[0]).save(paths[2])
    found = image_files(paths[:2], [0, 1], MEAN, STD, size=(4, 6)).images
    assert found.shape == (2, 3, 4, 6)
    assert (found[0] == 7).all()
    assert torch.equal(found[1], torch.from_numpy(colours(1)[0]).permute(2, 0, 1))
    with pytest.raises(ValueError, match=r"of different sizes: .* is 4 × 6, .* is 2 × 2: give"):
        common_size(paths[1:])
    scaled = image_files(paths[1:], [0, 1], MEAN, STD, size=(3, 5)).images
    assert scaled.shape == (2, 3, 3, 5)


@pytest.fixture
def files(tmp_path):
    paths = []
    for index, pixels in enumerate(colours(4)):
        paths.append(str(tmp_path / f"{index}.png"))
        Image.fromarray(pixels).save(paths[-1])
    return paths


def test_files_are_the_same_in_memory_and_outside(files, monkeypatch, caplog):
    with caplog.at_level(logging.INFO, logger=module.__name__):
        inside = image_files(files, [3, 2, 1, 0], MEAN, STD, size=(4, 6))
        monkeypatch.setattr(module, "_SHARE", 0.0)
        outside = image_files(files, [3, 2, 1, 0], MEAN, STD, size=(4, 6))
    assert isinstance(inside, ImagesInMemory)
    assert isinstance(outside, ImageFiles)
    assert len(inside) == len(outside) == 4
    assert torch.equal(inside.targets, outside.targets)
    for index in range(4):
        assert torch.equal(inside[index][0], outside[index][0])
        assert int(inside[index][1]) == int(outside[index][1]) == 3 - index
    assert "4 images decoded into memory: 0 MB" in caplog.text
    assert "4 images stay in their files: 0 MB decoded" in caplog.text
