import numpy as np
import pytest
import torch

from avalanche_emgd.benchmarks._labels import (
    as_label,
    checked_label_sets,
    first_difference,
    is_plain,
    labels_of,
)


@pytest.mark.parametrize(
    "target",
    [3, 3.0, np.int8(3), np.float32(3), torch.tensor(3), torch.tensor([[3.0]]), np.array([3])],
)
def test_whole_numbers_of_any_kind_are_labels(target):
    assert as_label(target) == 3
    assert type(as_label(target)) is int


@pytest.mark.parametrize(
    "target", [0.5, "3", None, float("nan"), float("inf"), 2**63, torch.tensor([1, 2]), []]
)
def test_everything_else_is_none(target):
    with pytest.raises(ValueError, match=r"^."):
        as_label(target)


def test_plain_targets_collate_to_int64():
    assert all(map(is_plain, (3, np.int64(3), torch.tensor(3))))
    assert not any(map(is_plain, (True, 3.0, np.int32(3), torch.tensor([3]), torch.tensor(3.0))))


@pytest.mark.parametrize(
    "targets",
    [
        [2, 0, 1],
        (2.0, 0, True),
        np.array([[2], [0], [1]]),
        np.array([2, 0, 1], np.uint64),
        torch.tensor([2, 0, 1], dtype=torch.bfloat16),
    ],
)
def test_labels_of_many_samples(targets):
    assert labels_of(targets, "y") == [2, 0, 1]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.array(3), "`y` must have a class label for each sample, found one in all"),
        (np.eye(2), r"`y` must have integer class labels.* shape \(2,\) at index 0"),
        ([1, "b"], "found 'b' at index 1"),
        (torch.tensor([0.0, 1.5]), "found 1.5 at index 1"),
        ([2**63], "found 9223372036854775808 at index 0"),
        (np.array([0, 2**63], np.uint64), "found 9223372036854775808 at index 1"),
    ],
)
def test_the_first_wrong_target_is_named(targets, message):
    with pytest.raises(ValueError, match=message):
        labels_of(targets, "y")


def test_label_sets():
    assert checked_label_sets([(1, 2), torch.tensor([3]), range(2)]) == [[1, 2], [3], [0, 1]]
    with pytest.raises(ValueError, match="`label_sets` must be a sequence of label sets"):
        checked_label_sets(3)
    with pytest.raises(ValueError, match=r"`label_sets\[1\]` must be a set of integer class"):
        checked_label_sets([[0], "12"])


def test_first_difference():
    assert first_difference([1, 2], [1, 2]) is None
    assert first_difference([1, 2, 3], [1, 5, 4]) == 1
