from functools import cache

import pytest
import torch
from avalanche.models import IncrementalClassifier
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.training.peers import NaiveStrategy
from avalanche_emgd.training.peers.quadratic_penalty import QuadraticPenaltyStrategy
from tests.tolerance import assert_near
from tests.toy import toy_benchmark
from tests.training.common import TERMS, toy_model, toy_strategy, weights_of
from tests.training.peers.by_hand import Each, ordinary_benchmark, trained


def penalty(parameters, consolidations):
    """Compute ½ Σ_j Σ_i Ω_ji (θ_i − θ*_ji)²."""
    theta = torch.cat([parameter.reshape(-1) for parameter in parameters])
    return sum(0.5 * (omega * (theta - anchor) ** 2).sum() for omega, anchor in consolidations)


def drawn(size, number=2):
    return [(torch.rand(size), torch.randn(size)) for _ in range(number)]


@cache
def kept_benchmark():
    return toy_benchmark()


@given(st.integers(0, 4), st.integers(0, 999))
@settings(max_examples=20)
def test_gradient_is_that_of_the_sum_of_all_penalties(number, seed):
    strategy = toy_strategy(QuadraticPenaltyStrategy, strength=0.0)
    strategy.train(kept_benchmark().train_stream[0])
    torch.manual_seed(seed)
    consolidations = drawn(len(weights_of(strategy.model)), number)
    for omega, anchor in consolidations:
        strategy.consolidate(omega, anchor)
    parameters = list(strategy.model.parameters())
    gradients = [torch.zeros_like(parameter) for parameter in parameters]
    if consolidations:
        gradients = torch.autograd.grad(penalty(parameters, consolidations), parameters)
    expected = torch.cat([gradient.reshape(-1) for gradient in gradients])
    assert_near(strategy.penalty_gradient(), expected, 2 * max(1, number))


@pytest.mark.parametrize("shared", ["nothing", "classifier"])
def test_each_parameter_has_its_own_penalty_in_any_order(shared):
    model = toy_model()
    options = {} if shared == "nothing" else {"shared": model.classifier}
    strategy = toy_strategy(QuadraticPenaltyStrategy, model, strength=1.0, **options)
    strategy.train(toy_benchmark().train_stream[0])
    order = strategy.space.parameters
    assert (order[0] is model.classifier.weight) == (shared == "classifier")
    assert torch.equal(strategy.flat_parameters(), torch.cat([p.reshape(-1) for p in order]))
    consolidations = drawn(len(weights_of(model)))
    for omega, anchor in consolidations:
        strategy.consolidate(omega, anchor)
    expected = torch.autograd.grad(penalty(order, consolidations), order)
    torch.testing.assert_close(
        strategy.penalty_gradient(), torch.cat([g.reshape(-1) for g in expected])
    )


def test_update_is_the_mean_gradient_plus_strength_times_the_penaltys():
    consolidations, losses = [], []

    def check(strategy):
        parameters = strategy.space.parameters
        update = torch.cat([p.grad.reshape(-1) for p in parameters])
        mean = strategy.gradients.mean(0)
        (*pulls,) = torch.autograd.grad(penalty(parameters, consolidations), parameters)
        pull = 3.0 * torch.cat([g.reshape(-1) for g in pulls])
        assert pull.norm() > 1e-3
        torch.testing.assert_close(strategy.data_gradient, mean)
        assert_near(update, mean + pull, TERMS)
        losses.append(float(strategy.loss.detach()) == float(strategy.objective_losses.mean()))

    each = Each("after_backward", lambda strategy: consolidations and check(strategy))
    strategy = toy_strategy(QuadraticPenaltyStrategy, lr=0.01, strength=3.0, plugins=[each])
    first, *rest = toy_benchmark().train_stream
    strategy.train(first)
    for omega, anchor in drawn(len(weights_of(strategy.model))):
        strategy.consolidate(omega, anchor)
        consolidations.append((omega, anchor))
    strategy.train(rest)
    assert len(losses) == 7
    assert all(losses)


def test_parameters_are_pulled_to_the_anchor():
    def distances(strength):
        strategy = toy_strategy(QuadraticPenaltyStrategy, strength=strength)
        *first, last = toy_benchmark().train_stream
        strategy.train(first)
        theta = weights_of(strategy.model)
        held = torch.rand(len(theta)) < 0.5
        anchor = theta + 0.1 * torch.randn(len(theta))
        strategy.consolidate(held.float(), anchor)
        for _ in range(5):
            strategy.train(last)
        moved = (weights_of(strategy.model) - anchor).abs()
        return moved[held].mean(), moved[~held].mean()

    torch.manual_seed(0)
    (held, free), (loose, _) = distances(10.0), distances(0.0)
    assert held < 0.2 * loose
    assert held < 0.2 * free


def test_strength_zero_gives_no_penalty():
    benchmark = kept_benchmark()
    strategy = toy_strategy(QuadraticPenaltyStrategy, strength=0.0)
    first, *rest = benchmark.train_stream
    strategy.train(first)
    for omega, anchor in drawn(len(weights_of(strategy.model))):
        strategy.consolidate(omega, anchor)
    strategy.train(rest)
    assert torch.equal(weights_of(strategy.model), trained(NaiveStrategy, benchmark))


def test_grown_parameters_have_no_penalty():
    torch.manual_seed(0)
    head = IncrementalClassifier(4, initial_out_features=2)
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), head)
    strategy = toy_strategy(QuadraticPenaltyStrategy, model, strength=0.0)
    first, second = ordinary_benchmark().train_stream
    strategy.train(first)
    ((omega, anchor),) = drawn(len(weights_of(model)), 1)
    strategy.consolidate(omega, anchor)
    sizes = [p.numel() for p in model.parameters()]
    old = {
        name: (o, a)
        for (name, _), o, a in zip(
            model.named_parameters(), omega.split(sizes), anchor.split(sizes), strict=True
        )
    }
    strategy.train(second)
    pulls = dict(
        zip(
            [name for name, _ in model.named_parameters()],
            strategy.penalty_gradient().split([p.numel() for p in model.parameters()]),
            strict=True,
        )
    )
    assert len(weights_of(model)) == len(omega) + 2 * 4 + 2
    for name, parameter in model.named_parameters():
        weight, target = old[name]
        theta, pull = parameter.detach().reshape(-1), pulls[name]
        # rows of new classes come last, and so do they when laid out flat
        torch.testing.assert_close(pull[: len(weight)], weight * (theta[: len(weight)] - target))
        assert (pull[len(weight) :] == 0.0).all()
