import pytest
import torch
from torch.optim import SGD

from avalanche_emgd.benchmarks import TickLoader
from avalanche_emgd.training.peers import NaiveStrategy, SIStrategy
from tests.tolerance import assert_near
from tests.toy import toy_benchmark
from tests.training.common import (
    TERMS,
    assert_same_weights,
    quiet,
    scenarios,
    toy_model,
    weights_of,
)
from tests.training.peers.by_hand import mean_gradient, set_gradients, trained

XI = 0.01


class WatchedSI(SIStrategy):
    """Strategy that records every consolidation."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.consolidations = []

    def consolidate(self, importances, anchor):
        self.consolidations.append((importances, anchor))
        super().consolidate(importances, anchor)


def by_hand(benchmark, strength, **sgd):
    """Return the final weights, the consolidations, and all quotients before the clamp."""
    model, consolidations, quotients = toy_model(), [], []
    optimizer = SGD(model.parameters(), **sgd)
    start, path = weights_of(model), 0.0
    for experience in benchmark.train_stream:
        for batch in TickLoader(experience):
            gradient, before = mean_gradient(model, batch, experience), weights_of(model)
            pull = sum(omega * (before - anchor) for omega, anchor in consolidations)
            set_gradients(model, gradient + strength * pull)
            optimizer.step()
            path = path - gradient * (weights_of(model) - before)
        if experience.finishing_tasks:
            end = weights_of(model)
            quotients.append(path / ((end - start) ** 2 + XI))
            consolidations.append((quotients[-1].clamp(min=0.0), end))
            start, path = end, 0.0
    return weights_of(model), consolidations, torch.cat(quotients)


@scenarios
@pytest.mark.parametrize(("momentum", "lr", "strength"), [(0.0, 0.1, 10.0), (0.9, 0.05, 0.5)])
def test_importances_are_shares_of_the_fall_along_the_path(scenario, momentum, lr, strength):
    benchmark, model = toy_benchmark(scenario=scenario), toy_model()
    sgd = {"lr": lr, "momentum": momentum}
    weights, consolidations, quotients = by_hand(benchmark, strength, **sgd)
    assert (quotients < -1e-3).any()  # there is something to clamp
    strategy = WatchedSI(
        model,
        optimizer=SGD(model.parameters(), **sgd),
        si_lambda=strength,
        xi=XI,
        evaluator=quiet(),
    )
    strategy.train(benchmark.train_stream)
    assert len(strategy.consolidations) == 3
    for found, expected in zip(strategy.consolidations, consolidations, strict=True):
        for one, other in zip(found, expected, strict=True):
            assert_near(one, other, TERMS * 10, least=1.0)
        assert (found[0] >= 0.0).all()
    assert_same_weights(weights_of(model), weights)


@scenarios
def test_without_penalty_equals_naive(scenario):
    benchmark = toy_benchmark(scenario=scenario)
    naive = trained(NaiveStrategy, benchmark)
    assert torch.equal(trained(SIStrategy, benchmark, si_lambda=0.0, memory_size=6), naive)
    assert not torch.equal(trained(SIStrategy, benchmark, si_lambda=0.5), naive)


def test_important_parameters_stay_nearer():
    def moved(si_lambda):
        model = toy_model()
        optimizer = SGD(model.parameters(), lr=0.05)
        strategy = WatchedSI(model, optimizer=optimizer, si_lambda=si_lambda, evaluator=quiet())
        first, second, *rest = toy_benchmark().train_stream
        strategy.train([first, second])
        ((omega, anchor),) = strategy.consolidations
        strategy.train(rest)
        return (omega * (weights_of(model) - anchor) ** 2).sum()

    assert moved(2.0) < 0.7 * moved(0.0)


@pytest.mark.parametrize("name", ["si_lambda", "xi"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_wrong_settings(name, value):
    model = toy_model()
    optimizer = SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=f"`{name}` must be .* and finite, found {value}"):
        SIStrategy(model, optimizer=optimizer, **{name: value})
    with pytest.raises(ValueError, match="`xi` must be positive"):
        SIStrategy(model, optimizer=optimizer, xi=0.0)
