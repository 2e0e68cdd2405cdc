"""Trial passes of a model leave no trace, also where they fail."""

import random

import pytest
import torch
from torch import nn

from avalanche_emgd.training.model_trial import model_trial


class Counting(nn.Module):
    """Counts its passes in an attribute, a buffer and a list."""

    def __init__(self, fails):
        super().__init__()
        self.fails, self.passes, self.seen = fails, 0, []
        self.layer, self.norm, self.noise = nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout()
        self.register_buffer("total", torch.zeros(()))

    def forward(self, x):
        self.passes += 1
        self.total += 1.0
        self.seen.append(x)
        if self.fails:
            raise ValueError("no")
        return self.noise(self.norm(self.layer(x)))


def state_of(model):
    return (
        [tensor.clone() for tensor in model.state_dict().values()],
        (model.passes, list(model.seen), [module.training for module in model.modules()]),
        (torch.get_rng_state().tolist(), random.getstate()),
    )


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("mode", [False, True])
def test_nothing_changes(fails, mode):
    model = Counting(fails)
    model.norm.eval()
    tensors, attributes, generators = state_of(model)

    def trial():
        with model_trial(model):
            model.train(mode)
            return model(torch.randn(4, 3))

    if fails:
        with pytest.raises(ValueError, match="no"):
            trial()
    else:
        first, second = trial(), trial()
        assert torch.equal(first, second)  # the same seed
        assert not first.requires_grad
    found = state_of(model)
    assert all(map(torch.equal, found[0], tensors))
    assert found[1:] == (attributes, generators)
