"""EMGD with the recommended ingredients."""

import warnings

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import EMGDStrategy, Timeline, parallel_benchmark
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.models import ResNet18
from avalanche_emgd.optim import GMC
from avalanche_emgd.training.ingredients import Asymmetric, AveragedWeights, StoredProbabilities
from tests.toy import toy_benchmark
from tests.training.common import scenarios, toy_model, toy_strategy, weights_of
from tests.training.peers.by_hand import ordinary_benchmark


def recommended(**options):
    return toy_strategy(EMGDStrategy.recommended, **options)


@scenarios
def test_it_is_emgd_with_these_options(scenario):
    found = []
    by_hand = {
        "elastic": GMC(exponent=1.0, decay=0.0, lower_bound=0.0),
        "memory_objectives": "per-task",
        "memory_loss": StoredProbabilities(1.0, 1.0, 2.0),
        "competition": Asymmetric(0.5, "active"),
        "tested_weights": AveragedWeights(0.99),
    }
    for kind, options in ((EMGDStrategy.recommended, {}), (EMGDStrategy, by_hand)):
        strategy = toy_strategy(kind, memory_size=12, engine=PlainEngine(), **options)
        strategy.train(toy_benchmark(scenario=scenario).train_stream)
        found.append(strategy)
    assert all(type(strategy) is EMGDStrategy for strategy in found)
    assert torch.equal(*(weights_of(strategy.model) for strategy in found))
    assert torch.equal(*(weights_of(strategy.tested_model) for strategy in found))


def test_subclasses_have_it():
    class Mine(EMGDStrategy):
        pass

    model = toy_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    strategy = Mine.recommended(model, optimizer=optimizer, memory_size=4, evaluator=None)
    assert type(strategy) is Mine


@pytest.mark.parametrize(
    ("options", "attribute", "expected"),
    [
        ({"elastic": "gs"}, "weighting.elastic.__class__.__name__", "GS"),
        ({"memory_objectives": "one"}, "replay.objectives", "one"),
        ({"memory_loss": "labels"}, "memory_loss", None),
        ({"memory_loss": {"rule": "stored-logits", "alpha": 0.1}}, "memory_loss.alpha", 0.1),
        ({"competition": 0.0}, "competition", None),
        ({"competition": 1.0}, "competition.share", 1.0),
        ({"tested_weights": "last"}, "averaged_weights", None),
        ({"memory_editing": "cosine"}, "memory_editing.editing.rule", "cosine"),
        ({"memory_retrieval": "mir"}, "replay.num_candidates", None),
        ({"memory_selection": "gss"}, "memory_selection.num_compared", 10),
    ],
)
def test_an_option_that_is_given_wins(options, attribute, expected):
    found = recommended(memory_size=12, **options)
    for name in attribute.split("."):
        found = getattr(found, name)
    assert found == expected


@pytest.mark.parametrize(
    "options",
    [
        {"memory_size": 0},
        {"memory_size": 1},
        {"memory_size": 12, "memory_editing": "distance"},
        {"memory_size": 12, "precision": "bfloat16"},
        {"memory_size": 12, "precision": "float16"},
        {"memory_size": 12, "train_mb_size": 1},
        {"memory_size": 12, "train_epochs": 2},
        {"memory_size": 12, "criterion": nn.CrossEntropyLoss(weight=torch.ones(6))},
        {"memory_size": 12, "criterion": nn.MultiMarginLoss()},
    ],
)
@scenarios
def test_it_refuses_nothing_that_emgd_takes(options, scenario):
    for kind in (EMGDStrategy, EMGDStrategy.recommended):
        strategy = toy_strategy(kind, **options)
        benchmark = toy_benchmark(scenario=scenario)
        strategy.train(benchmark.train_stream)
        strategy.eval(benchmark.test_stream)
        assert weights_of(strategy.model).isfinite().all()


@pytest.mark.parametrize(
    ("criterion", "share"),
    [
        (None, 0.5),
        (nn.CrossEntropyLoss(), 0.5),
        (nn.CrossEntropyLoss(label_smoothing=0.1), None),
        (nn.MultiMarginLoss(), None),
        (lambda output, y: (output - nn.functional.one_hot(y, 6)).square().mean(), None),
    ],
)
def test_criteria_on_ordinary_benchmarks(criterion, share):
    strategy = recommended(memory_size=12, criterion=criterion, train_mb_size=4)
    strategy.train(ordinary_benchmark().train_stream)
    assert getattr(strategy.competition, "share", None) == share
    assert strategy.objective_losses.isfinite().all()
    assert weights_of(strategy.model).isfinite().all()


def test_without_memory_size_it_warns_as_emgd_does():
    for kind in (EMGDStrategy, EMGDStrategy.recommended):
        with pytest.warns(UserWarning, match="no replay memory"):
            toy_strategy(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recommended(memory_size=0)


@pytest.mark.parametrize("name", ["memroy_size", "weighting"])
def test_unknown_options(name):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'|multiple values"):
        recommended(memory_size=4, **{name: 3})


def test_networks_with_batch_norm_take_one_pass():
    torch.manual_seed(0)
    y = torch.arange(16) % 2
    data = [TensorDataset(torch.randn(16, 3, 8, 8), 2 * task + y) for task in range(2)]
    spans = Timeline(((0, 3), (2, 5)))
    benchmark = parallel_benchmark(data, data, spans, batch_size=4, scenario="class")
    model = ResNet18(4, width=2)
    strategy = recommended(model=model, memory_size=8, lr=1e-3)
    for _ in range(2):
        strategy.train(benchmark.train_stream)
    strategy.eval(benchmark.test_stream)
    assert strategy.engine.reason is None
    assert strategy.model is model
    assert all(b.isfinite().all() for b in strategy.tested_model.buffers())
