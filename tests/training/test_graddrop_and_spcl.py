"""GradDrop and SPCL, which are not weightings of gradients alone."""

import pytest
import torch
from torch import nn

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.training.peers.graddrop import GradDropStrategy
from avalanche_emgd.training.peers.spcl import SPCLStrategy
from avalanche_emgd.training.plugins import MultiGradientPlugin
from avalanche_emgd.training.plugins.orthogonality import (
    ConvOrthogonalityPlugin,
    orthogonality_penalty,
)
from tests.tolerance import tolerance
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model, toy_strategy, weights_of


class Updates(MultiGradientPlugin):
    """Plugin that records the gradients and the update of each tick."""

    def __init__(self):
        super().__init__()
        self.ticks = []

    def after_backward(self, strategy, **kwargs):
        update = torch.cat([p.grad.reshape(-1) for p in strategy.space.parameters])
        self.ticks.append((strategy.gradients.clone(), update))


def test_graddrop_sums_all_gradients_of_one_sign_per_parameter():
    updates = Updates()
    strategy = toy_strategy(GradDropStrategy, memory_size=12, plugins=[updates])
    strategy.train(toy_benchmark().train_stream)
    several = [(rows, update) for rows, update in updates.ticks if len(rows) > 1]
    assert several
    signs = set()
    for rows, update in several:
        positive, negative = rows.clamp(min=0.0).sum(0), rows.clamp(max=0.0).sum(0)
        bound = tolerance(torch.float32, len(rows)) * rows.abs().sum(0)
        took_positive = (update - positive).abs() <= bound
        took_negative = (update - negative).abs() <= bound
        assert (took_positive | took_negative).all()
        signs |= {bool(x) for x in torch.unique(took_positive[(positive > 0.1)])}
    assert signs == {True, False}
    assert strategy.weights.shape == (0,)


def test_graddrop_of_one_objective_is_its_gradient():
    updates = Updates()
    strategy = toy_strategy(GradDropStrategy, plugins=[updates])
    strategy.train(toy_benchmark().train_stream)
    alone = [(rows, update) for rows, update in updates.ticks if len(rows) == 1]
    assert alone
    for rows, update in alone:
        assert torch.equal(update, rows[0])


def test_graddrop_sums_the_gradients_of_unshared_parameters():
    updates, model = Updates(), toy_model()
    strategy = toy_strategy(GradDropStrategy, model, shared=model.backbone, plugins=[updates])
    strategy.train(toy_benchmark().train_stream)
    for rows, update in updates.ticks:
        rest = slice(strategy.space.num_shared, None)
        torch.testing.assert_close(update[rest], rows[:, rest].sum(0))


def test_penalty_of_orthogonal_filters_is_zero():
    wide, tall = nn.Conv2d(3, 4, 2), nn.Conv1d(2, 8, 3)
    for layer in (wide, tall):
        nn.init.orthogonal_(layer.weight)
        # the square of 16 or 36 products' rounding
        bound = 36 * tolerance(torch.float32, 12) ** 2
        assert orthogonality_penalty(layer).item() == pytest.approx(0.0, abs=bound)
        nn.init.constant_(layer.weight, 0.5)
    filters = wide.weight.flatten(1)
    expected = (filters @ filters.T - torch.eye(4)).norm() ** 2
    torch.testing.assert_close(orthogonality_penalty(nn.Sequential(wide, nn.ReLU())), expected)
    filters = tall.weight.flatten(1)
    torch.testing.assert_close(
        orthogonality_penalty(nn.Sequential(wide, tall)),
        expected + (filters.T @ filters - torch.eye(6)).norm() ** 2,
    )


def test_no_penalty_without_trained_convolutions():
    frozen = nn.Conv2d(1, 2, 3).requires_grad_(False)
    assert orthogonality_penalty(nn.Sequential(frozen, nn.Linear(3, 3))) is None


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


def test_strength_must_not_be_negative():
    with pytest.raises(ValueError, match="`strength`"):
        ConvOrthogonalityPlugin(-1.0)


def test_weightings_receive_the_objectives_once():
    """The template adds the plugin unless the strategy has one already."""
    strategy = toy_strategy(EMGDStrategy, memory_size=12)
    kinds = [type(plugin).__name__ for plugin in strategy.plugins]
    assert kinds.count("ElasticFactorPlugin") == 1
    assert "WeightingPlugin" not in kinds
