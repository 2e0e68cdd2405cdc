"""States of strategies on all kinds of streams, with models, plugins and metrics of others."""

import pytest
import torch
from torch import nn

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.plugins import MultiGradientPlugin
from avalanche_emgd.training.state import StateError
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model, toy_strategy
from tests.training.state.common import Saved, of_method
from tests.training.state.interrupted import interrupted, serial_stream


def test_a_loader_of_a_plugin():
    class Loader(MultiGradientPlugin):
        def before_training_exp(self, strategy, *args, **kwargs):
            strategy.dataloader = torch.utils.data.DataLoader(
                strategy.adapted_dataset, batch_size=4, shuffle=True
            )

    def make(plugins):
        return toy_strategy(memory_size=12, plugins=[Loader(), *plugins], train_epochs=2)

    interrupted(make, serial_stream, ticks=[0, 2, 5, -1])


def assert_alike(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        for each, its in zip(one, other, strict=True):
            assert_alike(each, its)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


def test_a_copy_has_the_state_of_its_original():
    strategy, metrics = of_method("emgd++")
    strategy.train(metrics.benchmark.train_stream[:3])
    rest, _ = of_method("emgd++", seed=3)
    rest.load_state_dict(strategy.state_dict())
    first, second = strategy.state_dict(), rest.state_dict()
    assert_alike(first, second)
    # Neither shares tensors with the other.
    strategy.train(metrics.benchmark.train_stream[3:])
    third = rest.state_dict()
    for name in ("model", "optimizer", "memory", "plugins", "averaged_weights", "attributes"):
        assert_alike(third[name], second[name])


def test_the_data_are_not_in_the_state():
    benchmark = toy_benchmark(sizes=(2000, 1300, 1600))
    strategy = toy_strategy(memory_size=12, evaluator=quiet(PCLMetrics(benchmark)))
    saved = Saved()
    strategy.plugins.insert(0, saved)
    strategy.train(benchmark.train_stream[:1])
    assert len(saved.files[-1]) < 150_000


def test_other_strategies_are_refused():
    state = toy_strategy(memory_size=12).state_dict()
    for other, words in (
        (toy_strategy(MultiGradientTemplate, weighting=ERWeighting()), "EMGDStrategy"),
        (toy_strategy(memory_size=0), "`memory_size` is 0, but 12"),
        (toy_strategy(memory_size=12, model=toy_model(num_classes=8)), "has .classifier"),
        (toy_strategy(memory_size=12, tested_weights="average"), "`tested_weights` is"),
        (toy_strategy(memory_size=12, model=nn.Linear(5, 6)), "`model` lacks"),
    ):
        with pytest.raises(StateError, match=words):
            other.load_state_dict(state)
    for wrong in ({}, {"model": 1}, [1], {**state, "format": 99}):
        with pytest.raises(StateError, match="`state`"):
            toy_strategy(memory_size=12).load_state_dict(wrong)
