"""Plugins of a strategy's own, in the order of their callbacks."""

import pytest

from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.own_plugins import own_plugins
from avalanche_emgd.training.plugins import WeightingPlugin
from tests.training.common import replay_strategy, toy_strategy


def test_plugins_come_in_their_order():
    strategy = replay_strategy(
        memory_size=12,
        memory_loss="stored-logits",
        memory_selection="gss",
        memory_editing="distance",
        memory_augmentation="crops-flips",
        tested_weights="average",
    )
    found = own_plugins(strategy, strategy.model, strategy.weighting, [])
    names = [type(plugin).__name__ for plugin in found]
    assert names[0] == type(strategy.replay).__name__
    assert found.index(strategy.memory_loss) < found.index(strategy.averaged_weights)
    assert strategy.memory_augmentation in found
    assert found.index(strategy.averaged_weights) < found.index(strategy.memory_editing)
    assert names[-1] == "WeightingPlugin"
    assert [type(plugin) for plugin in strategy.plugins[: len(found)]] == [*map(type, found)]


@pytest.mark.parametrize(
    ("weighting", "given", "expected"),
    [
        (ERWeighting(), [], 1),
        (ERWeighting(), [WeightingPlugin(ERWeighting())], 0),
        (lambda gramian: gramian[0], [], 0),
    ],
)
def test_a_weighting_is_informed_once(weighting, given, expected):
    strategy = toy_strategy(memory_size=0)
    found = own_plugins(strategy, strategy.model, weighting, given)
    assert [type(plugin) for plugin in found] == expected * [WeightingPlugin]
