"""Pictures as files."""

import pytest
from matplotlib.figure import Figure
from PIL import Image

from avalanche_emgd.experiments.picture_files import save_picture


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_suffix_is_the_format(suffix, tmp_path):
    path = tmp_path / f"p.{suffix}"
    save_picture(Figure(figsize=(2, 1)), path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    head = path.read_bytes()[:100]
    assert {"png": b"PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix] in head
    if suffix == "png":
        with Image.open(path) as image:
            assert image.size == (300, 150)


def test_an_earlier_picture_stays_if_the_new_one_cannot_be_drawn(tmp_path):
    class Broken(Figure):
        def savefig(self, path, **options):
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    path = tmp_path / "p.png"
    path.write_bytes(b"precious")
    with pytest.raises(ValueError, match="cannot be written: No space left"):
        save_picture(Broken(), path)
    assert path.read_bytes() == b"precious"
    assert [each.name for each in tmp_path.iterdir()] == ["p.png"]
