from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd import (
    Protocol,
    Timeline,
    ps_cifar100,
    ps_digits,
    ps_emnist,
    ps_imagenet_tiny,
)
from avalanche_emgd.benchmarks import cifar100


def test_digits():
    benchmark = ps_digits(seed=3)
    assert len(benchmark.label_sets) == 5
    assert sorted(c for labels in benchmark.label_sets for c in labels) == list(range(10))
    assert sum(len(e.dataset) for e in benchmark.train_stream) == 1437
    assert sum(len(e.dataset) for e in benchmark.test_stream) == 360
    x, y, t = benchmark.train_stream[0].dataset[0]
    assert x.shape == (1, 8, 8)
    assert -1.0 <= float(x.min()) <= float(x.max()) <= 1.0
    assert int(y) in benchmark.label_sets[int(t)]


def test_digits_with_given_label_sets_and_time_line():
    benchmark = ps_digits(label_sets=[[0, 1], [2, 3, 4]], timeline=Timeline.joint([1, 1]))
    assert benchmark.label_sets == ((0, 1), (2, 3, 4))
    assert [first for first, _ in benchmark.timeline.spans] == [0, 0]


def test_digits_seed():
    same, again, other = (ps_digits(seed=s) for s in (0, 0, 1))
    assert (same.label_sets, same.timeline) == (again.label_sets, again.timeline)
    assert (same.label_sets, same.timeline) != (other.label_sets, other.timeline)


def test_digits_empty_label_sets():
    with pytest.raises(ValueError, match="`label_sets` must have at least one task"):
        ps_digits(label_sets=[])


@pytest.mark.parametrize("num_tasks", [0, 11])
def test_digits_bad_number_of_tasks(num_tasks):
    with pytest.raises(ValueError, match=rf"`num_tasks` must be in 1..10, found {num_tasks}"):
        ps_digits(num_tasks=num_tasks)


def test_emnist(shared_data, published_protocol):
    label_sets, timeline = Protocol.load(published_protocol).select(0, 0)
    benchmark = ps_emnist(shared_data, label_sets=label_sets, timeline=timeline)
    assert benchmark.num_classes == 62
    assert benchmark.label_sets == tuple(tuple(sorted(labels)) for labels in label_sets)
    assert sum(len(e.dataset) for e in benchmark.train_stream) == 60_457
    assert sum(len(e.dataset) for e in benchmark.test_stream) == 12_220
    data = benchmark.train_stream[0].dataset
    x = torch.stack([data[i][0] for i in range(2000)])
    assert x.shape[1:] == (1, 28, 28)
    assert abs(float(x.mean())) < 0.1
    assert abs(float(x.std()) - 1.0) < 0.1


def test_emnist_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="--download"):
        ps_emnist(tmp_path / "nowhere")


def test_cifar100(monkeypatch):
    def part(root, train, download):
        n = 600 if train else 200
        pixels = np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        return SimpleNamespace(data=pixels, targets=[i % 100 for i in range(n)])

    monkeypatch.setattr(cifar100, "CIFAR100", part)
    benchmark = ps_cifar100("anywhere", seed=1)
    assert [len(labels) for labels in benchmark.label_sets] == [10] * 10
    assert benchmark.batch_size == 128
    assert benchmark.task_sizes == (60,) * 10
    experience = benchmark.train_stream[0]
    x, y, _ = experience.load(experience.deliveries[0])
    task, sample = experience.deliveries[0][0].task, experience.sample_ids[0] % 60
    whole = part(None, True, False)
    own = [i for i in range(600) if i % 100 in benchmark.label_sets[task]]
    pixels = torch.from_numpy(whole.data[own[sample]]).permute(2, 0, 1) / 255.0
    mean = torch.tensor([0.5071, 0.4865, 0.4409]).view(3, 1, 1)
    std = torch.tensor([0.2673, 0.2564, 0.2762]).view(3, 1, 1)
    torch.testing.assert_close(x[0], (pixels - mean) / std)
    assert int(y[0]) == own[sample] % 100


def test_cifar100_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="--download"):
        ps_cifar100(tmp_path)


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
