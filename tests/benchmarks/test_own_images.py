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


def flat_folder(root, per_class=8):
    """Make one folder for each class, like the training folders of :func:`make_folders`."""
    make_folders(root / "both", per_class=per_class)
    return (root / "both" / "train").rename(root / "flat")


def numbers_of(stream):
    return sorted(float(x.sum()) for experience in stream for x in experience.load()[0])


def test_one_folder_is_divided_by_class_and_seed(tmp_path):
    folder = flat_folder(tmp_path)

    def made(seed):
        sets = [[0, 1], [2, 3]]
        return parallel_benchmark_from_images(
            folder, test_share=0.25, seed=seed, label_sets=sets, batch_size=6
        )

    benchmark = made(0)
    assert benchmark.class_names == dict(enumerate("abcd"))
    assert benchmark.task_sizes == (12, 12)
    for experience in benchmark.test_stream:
        assert sorted(experience.load()[1].tolist()) == sorted(
            2 * experience.classes_in_this_experience
        )
    deliveries = [
        experience.load(deliveries)[0]
        for experience in benchmark.train_stream
        for deliveries in experience.deliveries
    ]
    assert_centred(torch.cat(deliveries))
    assert made(0) == benchmark
    assert numbers_of(made(1).test_stream) != numbers_of(benchmark.test_stream)


def test_classes_may_be_called_train_and_test(tmp_path):
    folder = flat_folder(tmp_path)
    (folder / "a").rename(folder / "train")
    (folder / "b").rename(folder / "test")
    benchmark = parallel_benchmark_from_images(folder, test_share=0.25, num_tasks=2)
    assert list(benchmark.class_names.values()) == ["c", "d", "test", "train"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_share": 0}, "`test_share` must be a number between 0 and 1, such as 0.2, found 0"),
        ({"test_share": True}, "`test_share` must be a number between 0 and 1"),
        ({"test_share": 0.5, "seed": -1}, "`seed` must be an integer ≥ 0"),
        ({}, "To divide one folder of images for each class, give `test_share`"),
    ],
)
def test_one_folder_with_wrong_arguments(arguments, message, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        parallel_benchmark_from_images(flat_folder(tmp_path), **arguments)


def test_one_folder_that_cannot_be_divided(tmp_path):
    folder = flat_folder(tmp_path, per_class=1)
    with pytest.raises(ValueError, match="has a single image of class 'a'"):
        parallel_benchmark_from_images(folder, test_share=0.5)
    with pytest.raises(ValueError, match="is divided already, its folder test has folders itself"):
        parallel_benchmark_from_images(tmp_path / "both", test_share=0.5)
