import pytest
import torch

from avalanche_emgd.benchmarks import TickLoader
from avalanche_emgd.training.peers import EWCStrategy, NaiveStrategy
from tests.tolerance import assert_near
from tests.toy import toy_benchmark
from tests.training.common import (
    TERMS,
    assert_same_weights,
    scenarios,
    toy_model,
    toy_strategy,
    weights_of,
)
from tests.training.peers.by_hand import (
    Each,
    dropping_model,
    flat_gradient,
    frozen,
    mean_gradient,
    scenario_losses,
    set_gradients,
    trained,
)


class WatchedEWC(EWCStrategy):
    """Strategy that records the samples of the Fisher information, and every consolidation."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.samples, self.consolidations = [], []

    def fisher(self, indices):
        self.samples.append((self.experience, list(indices)))
        return super().fisher(indices)

    def consolidate(self, importances, anchor):
        self.consolidations.append((importances, anchor))
        super().consolidate(importances, anchor)


def fisher(model, experience, indices):
    """Compute the mean of the squared gradients, sample by sample."""
    model = frozen(model).requires_grad_(True)
    data = experience.dataset.eval()
    total = 0.0
    for index in indices:
        x, y, t = data[index]
        sample = x[None], torch.tensor([y]), torch.tensor([t])
        loss = scenario_losses(model, sample, experience)[0]
        total += flat_gradient(loss, model.parameters()) ** 2
    return total / len(indices)


@scenarios
def test_fisher_is_the_mean_of_squared_gradients_of_single_samples(scenario):
    def check(strategy):
        experience = strategy.experience
        for indices in ([0], [3, 1], list(range(len(experience.dataset)))):
            expected = fisher(strategy.model, experience, indices)
            assert_near(strategy.fisher(indices).sqrt(), expected.sqrt(), TERMS, least=1.0)
        assert all(module.training for module in strategy.model.modules())

    each = Each("after_training_exp", check)
    strategy = toy_strategy(EWCStrategy, dropping_model(), plugins=[each])
    strategy.train(toy_benchmark(scenario=scenario).train_stream)
    assert each.calls == 5


@pytest.mark.parametrize(("scenario", "strength"), [("class", 20.0), ("task", 200.0)])
def test_training_is_an_obvious_loop_with_one_penalty_per_finished_task(scenario, strength):
    benchmark, model, consolidations = toy_benchmark(scenario=scenario), toy_model(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for experience in benchmark.train_stream:
        for batch in TickLoader(experience):
            update = mean_gradient(model, batch, experience)
            for omega, anchor in consolidations:
                update = update + strength * omega * (weights_of(model) - anchor)
            set_gradients(model, update)
            optimizer.step()
        for task in experience.finishing_tasks:
            labels = experience.dataset.targets_task_labels
            own = [index for index in range(len(labels)) if labels[index] == task]
            consolidations.append((fisher(model, experience, own), weights_of(model)))

    strategy = toy_strategy(WatchedEWC, ewc_lambda=strength)
    strategy.train(benchmark.train_stream)
    assert len(strategy.consolidations) == 3
    for found, expected in zip(strategy.consolidations, consolidations, strict=True):
        assert_near(found[0].sqrt(), expected[0].sqrt(), TERMS * 10, least=1.0)
        assert_same_weights(found[1], expected[1])
    assert_same_weights(weights_of(strategy.model), weights_of(model))
    assert (weights_of(model) - trained(NaiveStrategy, benchmark)).abs().max() > 1e-3


def test_samples_are_of_the_finished_task_chosen_at_random_without_repetition():
    def chosen(seed):
        strategy = toy_strategy(WatchedEWC, fisher_samples=3, seed=seed)
        strategy.train(benchmark.train_stream)
        return strategy.samples

    benchmark = toy_benchmark()
    samples = chosen(0)
    for task, (experience, indices) in enumerate(samples):
        assert experience.finishing_tasks == (task,)
        labels = experience.dataset.targets_task_labels
        available = sum(labels[index] == task for index in range(len(labels)))
        assert len(set(indices)) == len(indices) == min(3, available)
        assert {labels[index] for index in indices} == {task}
    assert len(samples) == 3
    assert samples == chosen(0)
    assert samples != chosen(1)


def test_important_parameters_stay_near_their_anchor():
    def moved(ewc_lambda):
        strategy = toy_strategy(WatchedEWC, ewc_lambda=ewc_lambda)
        first, second, *rest = toy_benchmark().train_stream
        strategy.train([first, second])
        ((omega, anchor),) = strategy.consolidations
        assert torch.equal(anchor, weights_of(strategy.model))
        strategy.train(rest)
        return (omega * (weights_of(strategy.model) - anchor) ** 2).sum()

    assert moved(20.0) < 0.5 * moved(0.0)


@scenarios
def test_without_penalty_equals_naive(scenario):
    benchmark = toy_benchmark(scenario=scenario)
    naive = trained(NaiveStrategy, benchmark)
    assert torch.equal(trained(EWCStrategy, benchmark, ewc_lambda=0.0, memory_size=6), naive)


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_wrong_strength(value):
    with pytest.raises(ValueError, match=f"`ewc_lambda` must be at least 0 and .*found {value}"):
        toy_strategy(EWCStrategy, ewc_lambda=value)


def test_wrong_number_of_samples():
    with pytest.raises(
        ValueError, match="`fisher_samples` must be a whole number, at least 1, found 0"
    ):
        toy_strategy(EWCStrategy, fisher_samples=0)
