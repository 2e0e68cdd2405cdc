import pytest
import torch
from torch.utils.data import Subset, TensorDataset

from avalanche_emgd.benchmarks._bulk import bulk_of, loads_as

ROWS = torch.arange(12.0).view(6, 2)


class Doubled(TensorDataset):
    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return 2 * x, y


def data():
    return TensorDataset(ROWS, torch.arange(6))


@pytest.mark.parametrize(
    "dataset",
    [data(), Subset(data(), [4, 0, -1]), Subset(Subset(data(), [5, 3, 1]), [2, 0])],
)
def test_inputs_are_those_loaded_one_by_one(dataset):
    bulk = bulk_of(dataset)
    order = torch.tensor([1, 0, 1])
    expected = torch.stack([dataset[int(index)][0] for index in order])
    assert torch.equal(bulk.load(bulk.at(order)), expected)


def test_own_ways_of_loading_are_kept():
    dataset = Doubled(ROWS, torch.arange(6))
    assert not loads_as(dataset, TensorDataset)
    assert loads_as(data(), TensorDataset)
    assert bulk_of(dataset) is None
    assert bulk_of(Subset(dataset, [0])) is None
    assert bulk_of([1, 2]) is None
