"""Models whose samples cannot be shared between processes are refused by the layer's name."""

import pytest
from torch import nn

from avalanche_emgd.distributed.placement import make_placement
from avalanche_emgd.distributed.shareable_models import check_shareable


def with_layer(layer):
    return nn.Sequential(nn.Linear(2, 2), layer)


@pytest.mark.parametrize(
    ("layer", "placement", "message"),
    [
        (nn.DataParallel(nn.Linear(2, 2)), "auto", r"DataParallel \(1\), which distributes"),
        (nn.SyncBatchNorm(2), "by-objective", r"SyncBatchNorm \(1\), for which each process needs"),
        (nn.InstanceNorm1d(2, track_running_stats=True), "auto", "with running statistics"),
    ],
)
def test_a_model_is_refused(layer, placement, message):
    with pytest.raises(ValueError, match=message):
        check_shareable(with_layer(layer), make_placement(placement))


@pytest.mark.parametrize(
    ("layer", "placement"),
    [
        (nn.SyncBatchNorm(2), "by-sample"),
        (nn.SyncBatchNorm(2), "auto"),
        (nn.BatchNorm1d(2), "by-objective"),
        (nn.InstanceNorm1d(2), "even"),
    ],
)
def test_a_model_is_taken(layer, placement):
    check_shareable(with_layer(layer), make_placement(placement))
