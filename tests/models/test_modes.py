import pytest
import torch
from torch import nn

from avalanche_emgd.models.modes import evaluation_mode, frozen_statistics


def make():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout())
    model[2].eval()
    return model


def test_each_module_has_its_mode_again_even_after_an_error():
    model = make()
    with evaluation_mode(model):
        assert not any(module.training for module in model.modules())
    with pytest.raises(KeyError), evaluation_mode(model):
        raise KeyError
    assert [module.training for module in model.modules()] == [True, True, True, False]


def test_statistics_do_not_change_but_batches_are_normalised():
    model, x = make(), torch.randn(5, 3)
    expected = model[:2](x)
    mean, number = model[1].running_mean.clone(), int(model[1].num_batches_tracked)
    with frozen_statistics(model):
        torch.testing.assert_close(model[:2](x), expected)
    assert torch.equal(model[1].running_mean, mean)
    assert int(model[1].num_batches_tracked) == number
    model(x)
    assert int(model[1].num_batches_tracked) == number + 1
