import re

import numpy as np
import pytest
import torch

from avalanche_emgd import EMGDStrategy, Timeline, parallel_benchmark_from_arrays
from tests.benchmarks.own_data import Bag, assert_centred
from tests.tolerance import assert_near


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


def tokens(dtype=np.int64, top=20):
    """Make sequences of six token ids; only the first three depend on the class."""
    generator = np.random.default_rng(0)
    y = np.arange(120) % 4
    x = generator.integers(0, top - 8, (120, 6))
    x[:, :3] = top - 8 + 2 * y[:, None] + generator.integers(0, 2, (120, 3))
    return {"x_train": x.astype(dtype), "y_train": y, "x_test": x[:40], "y_test": y[:40]}


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int16, np.uint16, ">i4"])
def test_token_ids_stay_integers(dtype, tmp_path):
    content = tokens(dtype)
    benchmark = parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **content), num_tasks=2)
    assert benchmark.input_shape == (6,)
    for experience in benchmark.train_stream:
        x, y, _ = experience.load(experience.deliveries[0])
        assert x.dtype == torch.int64
        assert all((content["x_train"] == own).all(axis=1).any() for own in x.numpy())
        assert y.tolist() == ((x[:, 0] - 12) // 2).tolist()


def strategy_of(model, **options):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    return EMGDStrategy(model, optimizer=optimizer, evaluator=None, **options)


def test_an_embedding_learns_from_streams_and_replay(tmp_path):
    benchmark = parallel_benchmark_from_arrays(
        saved(tmp_path / "a.npz", **tokens()),
        num_tasks=2,
        scenario="task",
        timeline=Timeline.serial([1, 1]),
        batch_size=10,
        epochs=3,
    )
    strategy = strategy_of(Bag(), memory_size=20)
    strategy.train(benchmark.train_stream)
    assert strategy.memory.inputs.dtype == torch.int64
    assert len(strategy.memory) == 20
    for experience in benchmark.test_stream:
        x, y, _ = experience.load()
        own = torch.tensor(benchmark.label_sets[experience.task_label])
        found = own[strategy.model(x)[:, own].argmax(dim=1)]
        assert torch.equal(found, y)


def test_token_ids_without_a_row_are_refused_before_training(tmp_path):
    content = tokens()
    content["x_test"][-1, -1] = 25
    benchmark = parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **content), num_tasks=2)
    with pytest.raises(ValueError, match=r"0\.\.25 such as 25: .* needs 26 rows, for 0\.\.25"):
        strategy_of(Bag()).train(benchmark.train_stream)
    strategy_of(Bag(26)).train(benchmark.train_stream)


def test_token_ids_are_not_edited(tmp_path):
    benchmark = parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **tokens()), num_tasks=2)
    with pytest.raises(ValueError, match="`memory_editing` is for floating-point inputs, found"):
        strategy_of(Bag(), memory_size=20, memory_editing="cosine").train(benchmark.train_stream)


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
            "no samples in x_train",
        ),
        ({"y_train": np.array(3)}, "y_train` must have a class label for each sample"),
        (
            {"y_train": np.arange(24) + 0.5},
            "`y_train` must have integer class labels, one for each",
        ),
        ({"y_test": np.eye(8, 4)}, "found a target of shape (4,) at index 0"),
        (
            {"y_test": np.arange(8) + 3},
            "classes in y_test that are missing in y_train: 4, 5, 6, 7, 8, 9, 10",
        ),
        ({"y_train": np.array(["a"] * 24)}, "`y_train` must have integer class labels"),
        ({"y_train": np.full(24, 2**64 - 1, np.uint64)}, "found 18446744073709551615 at index 0"),
        ({"y_train": np.full(24, 1 + 2j)}, "found (1+2j) at index 0"),
        ({"x_train": np.zeros((24, 4, 4, 3), dtype=np.int16)}, "must have uint8 images"),
        ({"x_train": np.zeros((24, 4, 4, 5), dtype=np.uint8)}, "with 1 or 3 channels, float"),
        ({"x_test": np.zeros((8, 5, 4, 3), dtype=np.uint8)}, "samples of one kind in x_train and"),
        ({"x_train": np.array([{}] * 24)}, "of numbers or text"),
        ({"y_train": np.array(["a"] * 24, object)}, "save text as y_train.astype(str)"),
        ({"y_test": np.arange(8) % 2}, "classes in y_train that are missing in y_test: 2, 3"),
        ({"x_train": np.zeros((24, 9), dtype=np.uint8)}, "token ids [N, length] of int64 or int32"),
        ({"x_train": np.zeros((24, 4, 4), dtype=np.int64)}, "Found in x_train: int64 (24, 4, 4)"),
        (
            {"x_train": np.zeros((24, 0), dtype=np.int64)},
            "without a number in x_train, of shape (24, 0)",
        ),
        ({"x_train": np.eye(24, 9, dtype=int) - 1}, "has -1 in x_train[0], which is no token id"),
        ({"x_train": np.full((24, 9), 2**63, np.uint64)}, "has 9223372036854775808 in x_train[0]"),
        (
            {"x_train": np.zeros((24, 9), int), "x_test": np.zeros((8, 9))},
            "found int64 (9,) and float64 (9,)",
        ),
    ],
)
def test_wrong_arrays(change, message, tmp_path):
    content = {k: v for k, v in {**arrays(), **change}.items() if v is not None}
    with pytest.raises(ValueError, match=re.escape(message)):
        parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_tasks": "3"}, "`num_tasks` must be an integer, found '3'"),
        ({"num_tasks": 2.0}, "`num_tasks` must be an integer, found 2.0"),
        ({"num_tasks": 10**9}, "`num_tasks` must be in 1..4, found 1000000000"),
        ({"seed": -1}, "`seed` must be an integer ≥ 0 where label sets or a time line are random"),
    ],
)
def test_impossible_random_divisions(change, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        parallel_benchmark_from_arrays(saved(tmp_path / "a.npz", **arrays()), **change)


def test_missing_and_invalid_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not there"):
        parallel_benchmark_from_arrays(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(ValueError, match=r"must be a NumPy \.npz file"):
        parallel_benchmark_from_arrays(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"must be a NumPy \.npz file"):
        parallel_benchmark_from_arrays(tmp_path / "one.npy")
