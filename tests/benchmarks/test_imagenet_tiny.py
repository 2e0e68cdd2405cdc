import numpy as np
import pytest
from PIL import Image

from avalanche_emgd import (
    ps_imagenet_tiny,
)


def test_imagenet_tiny(tmp_path):
    """The data have the official layout, with one image per class and its label as grey level."""
    root = tmp_path / "tiny-imagenet-200"
    names = [f"n{999 - label:08}" for label in range(200)]
    (root / "val" / "images").mkdir(parents=True)
    (root / "wnids.txt").write_text("\n".join(names))
    (root / "words.txt").write_text("")
    lines = []
    for label, name in enumerate(names):
        image = Image.fromarray(np.full((64, 64), label, dtype=np.uint8))
        folder = root / "train" / name / "images"
        folder.mkdir(parents=True)
        image.save(folder / f"{name}_0.JPEG")
        image.save(root / "val" / "images" / f"val_{label}.JPEG")
        lines.append(f"val_{label}.JPEG\t{name}\t0\t0\t62\t62")
    (root / "val" / "val_annotations.txt").write_text("\n".join(lines))
    benchmark = ps_imagenet_tiny(tmp_path, num_tasks=20, batch_size=10)
    assert [len(labels) for labels in benchmark.label_sets] == [10] * 20
    assert benchmark.input_shape == (3, 64, 64)
    for experience in (benchmark.train_stream[0], benchmark.test_stream[7]):
        x, y, _ = experience.dataset[0]
        assert float(x[0, 0, 0]) == pytest.approx((int(y) / 255 - 0.4802) / 0.2770, abs=0.02)


def test_imagenet_tiny_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="--download"):
        ps_imagenet_tiny(tmp_path)
