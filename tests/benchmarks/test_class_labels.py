import numpy as np
import pytest

from avalanche_emgd.benchmarks._class_labels import check_classes, class_labels


def test_words_are_numbered_in_alphabetical_order_over_both():
    labels, names = class_labels([np.array(["b", "c"]), np.array(["a", "b"])], ["y", "z"])
    assert labels == [[1, 2], [0, 1]]
    assert names == {0: "a", 1: "b", 2: "c"}


def test_numbers_keep_their_values():
    labels, names = class_labels([np.array([[7], [3]]), np.array([3.0])], ["y", "z"])
    assert labels == [[7, 3], [3]]
    assert names == {7: "7", 3: "3"}


def test_values_that_are_no_labels_are_named():
    with pytest.raises(ValueError, match=r"`z` must have integer class labels.* 0.5 at index 1"):
        class_labels([np.array([1, 2]), np.array([1.0, 0.5])], ["y", "z"])


def test_classes_of_one_part_only():
    names = {0: "ant", 1: "bee"}
    check_classes([[0, 1], [1, 0, 0]], names, ("here", "there"))
    with pytest.raises(
        ValueError, match="There are classes in there that are missing in here: bee"
    ):
        check_classes([[0], [0, 1]], names, ("here", "there"))
    many = list(range(30))
    with pytest.raises(ValueError, match=r"in here that are missing in there: 0, 1.* \.\.\."):
        check_classes([[*many, 99], [99]], {}, ("here", "there"))
