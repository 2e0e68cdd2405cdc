"""Map-style data sets as sources."""

import pytest
import torch
from avalanche.benchmarks.utils import AvalancheDataset, TransformGroups

from avalanche_emgd.benchmarks.live.map_source import MapSource
from tests.benchmarks.live.common import all_of, numbered


def test_avalanche_data_sets_store_inputs_of_the_evaluation():
    groups = TransformGroups({"train": (lambda x: x + 100.0, None), "eval": (None, None)})
    data = AvalancheDataset([numbered(8)], transform_groups=groups)
    source = MapSource(data, "data", shuffle=False)
    first = next(source.batches(4))
    assert first.inputs[:, 0].tolist() == [100.0, 101.0, 102.0, 103.0]
    assert first.stored(torch.tensor([1, 3]))[:, 0].tolist() == [1.0, 3.0]


def test_the_order_follows_from_the_seed():
    orders = [all_of(MapSource(numbered(20), "data", seed=seed)) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    two = all_of(MapSource(numbered(8), "data", epochs=2))
    assert two[:2] != two[2:]  # each epoch has its own order


@pytest.mark.parametrize("epochs", [0, 1.5, "2"])
def test_epochs(epochs):
    with pytest.raises(ValueError, match="`epochs` must be a whole number, at least 1"):
        MapSource(numbered(2), "data", epochs=epochs)
