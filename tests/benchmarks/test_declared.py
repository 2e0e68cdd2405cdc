from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import Dataset, Subset, TensorDataset

from avalanche_emgd.benchmarks._declared import declared_targets, place_of, size_of
from avalanche_emgd.benchmarks.datasets import with_labels

DATA = TensorDataset(torch.zeros(5, 2), torch.tensor([4, 3, 2, 1, 0]))


class Files(Dataset):
    samples = (("a.png", 0), ("b.png", 1))
    targets = ("0", "1")
    target_transform = int

    def __len__(self):
        return 2

    def __getitem__(self, index):
        raise AssertionError("loaded")


def test_targets_are_declared_without_loading_inputs():
    assert declared_targets(DATA).tolist() == [4, 3, 2, 1, 0]
    assert declared_targets(Subset(DATA, [1, -1])).tolist() == [3, 0]
    assert declared_targets(Files()) == [0, 1]
    assert declared_targets(Subset(Files(), [1])) == [1]
    assert list(declared_targets(with_labels(DATA, [4, 3, 2, 1, 0], 0))) == [4, 3, 2, 1, 0]
    assert declared_targets(SimpleNamespace()) is None
    assert declared_targets(Subset([1, 2], [0])) is None


def test_places_name_the_file():
    assert place_of(DATA, 2) == "sample 2"
    assert place_of(Files(), 1) == "sample 1 (b.png)"
    assert place_of(Subset(Files(), [1]), 0) == "sample 0 (b.png)"


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ([1, 2], "`data` must be a data set of .* found list"),
        (TensorDataset(torch.zeros(3)), "`data` must have inputs and class labels, found one"),
        (Dataset(), "`data` must have a length and samples by index"),
        (Subset(DATA, [0, 5]), r"`data` is a Subset whose indices\[1\] is 5, outside of its 5"),
        (Subset(DATA, [-6]), r"indices\[0\] is -6"),
    ],
)
def test_what_is_no_data_set_of_known_length(dataset, message):
    with pytest.raises(ValueError, match=message):
        size_of(dataset, "data")
    assert size_of(DATA, "data") == 5
