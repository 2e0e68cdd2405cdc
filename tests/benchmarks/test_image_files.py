import logging

import psutil
import pytest
from PIL import Image

from avalanche_emgd import parallel_benchmark_from_images
from avalanche_emgd.benchmarks import _image_reading, image_files
from avalanche_emgd.benchmarks._image_reading import decode
from tests.benchmarks.pictures import colours, folder_of


def test_minibatches_must_fit_into_memory(tmp_path, decoded):
    folder_of(tmp_path, lambda n: Image.fromarray(colours(n)), per_class=3, classes="abcdefgh")
    free = psutil.virtual_memory()._replace(available=int(1e9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "virtual_memory", lambda: free)
        with pytest.raises(
            ValueError, match=r"minibatches of 24 images that take 36 GB, more than"
        ):
            parallel_benchmark_from_images(tmp_path, size=(10_000, 10_000), batch_size=32)
    assert decoded == []


def test_headers_of_images_that_stay_in_files_are_checked(tmp_path, monkeypatch, caplog):
    folder_of(tmp_path, lambda n: Image.fromarray(colours(n)))
    paths = [str(tmp_path / "train" / "a" / f"{index}.png") for index in range(4)]
    monkeypatch.setattr(image_files, "_SHARE", 0.0)
    with caplog.at_level(logging.INFO):
        found = image_files.image_files(paths, [0] * 4, (0.5,) * 3, (0.2,) * 3, size=(6, 5))
    assert isinstance(found, image_files.ImageFiles)
    (tmp_path / "train" / "a" / "2.png").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"a/2.png' cannot be used: cannot identify it"):
        image_files.image_files(paths, [0] * 4, (0.5,) * 3, (0.2,) * 3, size=(6, 5))
    with pytest.raises(ValueError, match=r"a/2.png' cannot be used"):
        found[2]


def test_the_limit_of_pixels_is_documented(monkeypatch, tmp_path):
    monkeypatch.setattr(_image_reading, "MOST_PIXELS", 29)
    Image.fromarray(colours()).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="it has 6 × 5 pixels, more than 29 in all: scale it down"):
        decode(str(tmp_path / "a.png"))
