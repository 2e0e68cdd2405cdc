import pytest
import torch

from avalanche_emgd import parallel_benchmark_from_images
from tests.benchmarks.own_data import assert_centred, make_folders


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
