import torch
from torchjd.aggregation import MeanWeighting

from avalanche_emgd.benchmarks import TickLoader
from avalanche_emgd.training.peers import NaiveStrategy
from avalanche_emgd.training.templates import MultiGradientTemplate
from tests.toy import toy_benchmark
from tests.training.common import (
    assert_same_weights,
    scenarios,
    toy_model,
    toy_strategy,
    weights_of,
)
from tests.training.peers.by_hand import mean_gradient, set_gradients, trained


@scenarios
def test_naive_is_the_template_without_memory_and_with_equal_weights(scenario):
    benchmark = toy_benchmark(scenario=scenario)
    plain = trained(MultiGradientTemplate, benchmark, memory_size=0, weighting=MeanWeighting())
    assert torch.equal(trained(NaiveStrategy, benchmark), plain)
    replaying = trained(MultiGradientTemplate, benchmark, memory_size=6, weighting=MeanWeighting())
    assert not torch.equal(plain, replaying)


@scenarios
def test_naive_is_gradient_descent_on_the_mean_of_the_active_losses(scenario):
    benchmark, model = toy_benchmark(scenario=scenario), toy_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for experience in benchmark.train_stream:
        for batch in TickLoader(experience):
            set_gradients(model, mean_gradient(model, batch, experience))
            optimizer.step()
    assert_same_weights(trained(NaiveStrategy, benchmark, lr=0.1), weights_of(model))


def test_memory_size_has_no_effect():
    strategy = toy_strategy(NaiveStrategy, memory_size=12)
    assert strategy.memory is None
    assert strategy.replay is None
    benchmark = toy_benchmark()
    assert torch.equal(
        trained(NaiveStrategy, benchmark, memory_size=12), trained(NaiveStrategy, benchmark)
    )
