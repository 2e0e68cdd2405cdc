import re

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd import parallel_benchmark_from_arrays, parallel_benchmark_from_images
from tests.tolerance import assert_near


def make_folders(root, train=("a", "b", "c", "d"), test=("a", "b", "c", "d"), per_class=6):
    generator = np.random.default_rng(0)
    for part, classes in (("train", train), ("test", test)):
        for name in classes:
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(per_class):
                pixels = generator.integers(0, 256, (5, 7, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    return root


def assert_centred(x):
    """Channels of ``[B, C, H, W]`` have mean zero, but for rounding."""
    assert_near(x.mean((0, 2, 3)), torch.zeros(x.shape[1]), x[:, 0].numel(), least=1.0)


def test_folders_of_images(tmp_path):
    benchmark = parallel_benchmark_from_images(
        make_folders(tmp_path), num_tasks=2, batch_size=4, scenario="task"
    )
    assert benchmark.num_classes == 4
    assert benchmark.task_sizes == (12, 12)
    assert benchmark.input_shape == (3, 5, 7)
    assert sorted(label for labels in benchmark.label_sets for label in labels) == [0, 1, 2, 3]
    x = torch.cat(
        [e.load(deliveries)[0] for e in benchmark.train_stream for deliveries in e.deliveries]
    )
    assert_centred(x)
    torch.testing.assert_close(x.std((0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0.0)
    scaled = parallel_benchmark_from_images(tmp_path, num_tasks=2, size=(8, 8))
    assert scaled.input_shape == (3, 8, 8)


def test_folders_that_are_missing_or_differ(tmp_path):
    with pytest.raises(FileNotFoundError, match="must have the folders train and test"):
        parallel_benchmark_from_images(tmp_path / "nowhere")
    make_folders(tmp_path, test=("a", "b", "x", "d"))
    with pytest.raises(ValueError, match="these are in one of them only: c, x"):
        parallel_benchmark_from_images(tmp_path)


def arrays(shape=(4, 4, 3), dtype=np.uint8, n=24):
    generator = np.random.default_rng(0)
    x = (256 * generator.random((n, *shape))).astype(dtype)
    y = (np.arange(n) % 4).astype(np.uint8)
    return {"x_train": x, "y_train": y, "x_test": x[:8], "y_test": y[:8]}


def saved(path, **content):
    np.savez(path, **content)
    return path


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4, 5, 3), (3, 4, 5)), ((3, 4, 5), (3, 4, 5)), ((4, 5), (1, 4, 5)), ((4, 5, 1), (1, 4, 5))],
)
def test_layouts_of_images(shape, expected, tmp_path):
    content = arrays(shape)
    benchmark = parallel_benchmark_from_arrays(
        saved(tmp_path / "a.npz", **content), label_sets=[[0, 1, 2, 3]], batch_size=24
    )
    assert benchmark.input_shape == expected
    experience = benchmark.train_stream[0]
    x, y, _ = experience.load(experience.deliveries[0])
    assert_centred(x)
    pixels = torch.from_numpy(content["x_train"]).float()
    if shape[-1] in (1, 3):
        pixels = pixels.permute(0, 3, 1, 2)
    pixels = pixels.reshape(24, *expected)
    mean, std = (f(pixels.double()).float() for f in (channel_mean, channel_std))
    expected_x = ((pixels - mean) / std)[list(experience.sample_ids)]
    assert_near(x, expected_x, 3)
    assert y.tolist() == [i % 4 for i in experience.sample_ids]


def channel_mean(pixels):
    return pixels.mean((0, 2, 3), keepdim=True)


def channel_std(pixels):
    return pixels.transpose(0, 1).flatten(1).std(dim=1).view(1, -1, 1, 1)


def test_vectors_are_taken_as_they_are(tmp_path):
    content = arrays((6,), np.float64)
    benchmark = parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **content), num_tasks=2)
    experience = benchmark.train_stream[0]
    x = experience.load(experience.deliveries[0])[0]
    assert x.dtype == torch.float32
    assert benchmark.input_shape == (6,)
    assert float(x.max()) > 100.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_test": None}, "it has no x_test"),
        (
            {"y_train": np.zeros(3, dtype=int)},
            "in y_train for each of the samples of x_train, found",
        ),
        (
            {"y_train": np.zeros((0,), int), "x_train": np.zeros((0, 3))},
            "one class label in y_train",
        ),
        ({"y_train": np.array(3)}, "y_train` must have a class label for each sample"),
        (
            {"y_train": np.arange(24) + 0.5},
            "`y_train` must have integer class labels, one for each",
        ),
        ({"y_test": np.eye(8, 4)}, "found a target of shape (4,) at index 0"),
        (
            {"y_test": np.arange(8) + 3},
            "classes in y_test that y_train has not: 4, 5, 6, 7, 8, 9, 10",
        ),
        ({"y_train": np.array(["a"] * 24)}, "`y_train` must have integer class labels"),
        ({"y_train": np.full(24, 2**64 - 1, np.uint64)}, "found 18446744073709551615 at index 0"),
        ({"y_train": np.full(24, 1 + 2j)}, "found (1+2j) at index 0"),
        ({"x_train": np.zeros((24, 4, 4, 3), dtype=np.int16)}, "must have uint8 images"),
        ({"x_train": np.zeros((24, 4, 4, 5), dtype=np.uint8)}, "with 1 or 3 channels in x_train"),
        ({"x_test": np.zeros((8, 5, 4, 3), dtype=np.uint8)}, "samples of one kind in x_train and"),
        ({"x_train": np.array([{}] * 24)}, "of numbers only"),
    ],
)
def test_wrong_arrays(change, message, tmp_path):
    content = {k: v for k, v in {**arrays(), **change}.items() if v is not None}
    with pytest.raises(ValueError, match=re.escape(message)):
        parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **content))


@pytest.mark.parametrize(
    ("make", "name"),
    [(parallel_benchmark_from_images, "directory"), (parallel_benchmark_from_arrays, "file")],
)
@pytest.mark.parametrize("path", [None, 3, "a" * 5000])
def test_what_is_no_path(make, name, path):
    with pytest.raises(ValueError, match=rf"`{name}` (must be a|'a+' is no) path"):
        make(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_tasks": "3"}, "`num_tasks` must be an integer, found '3'"),
        ({"num_tasks": 2.0}, "`num_tasks` must be an integer, found 2.0"),
        ({"num_tasks": 10**9}, "`num_tasks` must be in 1..4, found 1000000000"),
        ({"seed": -1}, "`seed` must be an integer ≥ 0 where label sets or a time line are random"),
    ],
)
def test_random_divisions_that_cannot_be(change, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **arrays()), **change)


def test_what_is_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not there"):
        parallel_benchmark_from_arrays(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(ValueError, match=r"must be a NumPy \.npz file"):
        parallel_benchmark_from_arrays(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"must be a NumPy \.npz file"):
        parallel_benchmark_from_arrays(tmp_path / "one.npy")
