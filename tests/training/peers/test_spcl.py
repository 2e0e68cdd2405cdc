import torch
from torch import nn

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.training.peers.spcl import SPCLStrategy
from avalanche_emgd.training.plugins.orthogonality import (
    orthogonality_penalty,
)
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_strategy, weights_of


def test_spcl_makes_filters_orthogonal():
    def penalty_after(strength):
        torch.manual_seed(0)
        features = nn.Sequential(nn.Unflatten(1, (1, 5)), nn.Conv1d(1, 3, 3), nn.Flatten())
        model = nn.Sequential(features, nn.ReLU(), nn.Linear(9, 6))
        strategy = SPCLStrategy(
            model,
            optimizer=torch.optim.SGD(model.parameters(), lr=0.01),
            memory_size=12,
            strength=strength,
            evaluator=quiet(),
        )
        strategy.train(toy_benchmark().train_stream)
        return orthogonality_penalty(model).item()

    assert penalty_after(10.0) < 0.1 * penalty_after(0.0)


def test_spcl_without_convolutions_is_orthogonal_sum():
    strategies = [toy_strategy(SPCLStrategy, strength=s, memory_size=12) for s in (0.0, 5.0)]
    for strategy in strategies:
        strategy.train(toy_benchmark().train_stream)
    assert torch.equal(*(weights_of(strategy.model) for strategy in strategies))


def test_weightings_receive_the_objectives_once():
    """The template adds the plugin unless the strategy has one already."""
    strategy = toy_strategy(EMGDStrategy, memory_size=12)
    kinds = [type(plugin).__name__ for plugin in strategy.plugins]
    assert kinds.count("ElasticFactorPlugin") == 1
    assert "WeightingPlugin" not in kinds
