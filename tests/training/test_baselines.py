import torch

from avalanche_emgd import (
    AvgGradStrategy,
)
from tests.toy import toy_benchmark
from tests.training.common import assert_same_weights, toy_model, toy_strategy, weights_of
from tests.training.written_by_hand import by_hand


def test_average_equals_the_method_written_by_hand():
    benchmark = toy_benchmark()
    expected = by_hand(
        benchmark, toy_model(), 0.05, lambda J, names: torch.full((len(J),), 1.0 / len(J))
    )
    strategy = toy_strategy(AvgGradStrategy)
    strategy.train(benchmark.train_stream)
    assert_same_weights(weights_of(strategy.model), expected)
