"""Strategies on the toy benchmark."""

import pytest
import torch

from avalanche_emgd import MLP, EMGDStrategy, MultiGradientTemplate
from avalanche_emgd.evaluation import quiet_evaluator
from avalanche_emgd.optim.peers import ERWeighting
from tests.tolerance import assert_near

# Sums in a tick on the toy benchmark: 5, 16 and 8 inputs of layers, 6 classes, up to 4 samples of 4
# objectives, forwards and backwards.
TERMS = 100


def quiet(*metrics):
    """Make an evaluator without loggers."""
    return quiet_evaluator(*metrics)


scenarios = pytest.mark.parametrize("scenario", ["class", "task"])


def toy_model(num_classes=6, seed=0):
    torch.manual_seed(seed)
    return MLP(num_classes, in_features=5, hidden=(16, 8))


def toy_strategy(kind=EMGDStrategy, model=None, lr=0.05, **options):
    model = toy_model() if model is None else model
    options.setdefault("evaluator", quiet())
    return kind(model, optimizer=torch.optim.SGD(model.parameters(), lr=lr), **options)


def replay_strategy(model=None, **options):
    """Experience replay, with ingredients perhaps."""
    return toy_strategy(MultiGradientTemplate, model, weighting=ERWeighting(), **options)


def avalanche_strategy(kind, model, lr=0.1, **options):
    """Make a strategy of Avalanche or of this package from the same arguments."""
    return kind(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=lr),
        criterion=torch.nn.CrossEntropyLoss(),
        **options,
    )


def weights_of(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def assert_same_weights(found, expected, ticks=10):
    """Check that weights are equal up to the rounding of ``ticks`` updates of order one."""
    assert_near(found, expected, TERMS * ticks, least=1.0)


def through_a_file(state, path):
    """Save a state and load it again."""
    torch.save(state, path)
    return torch.load(path, weights_only=True)
