import copy

import pytest
import torch

from tests.toy import toy_benchmark
from tests.training.averaged import SIZES, strategy_with
from tests.training.common import toy_model, weights_of
from tests.training.peers.by_hand import Each


def test_before_the_first_tick_the_model_itself_is_tested():
    strategy, seen = strategy_with(), []
    strategy.plugins.append(Each("before_eval", lambda s: seen.append(s.model)))
    strategy.eval(toy_benchmark(SIZES).test_stream)
    assert seen == [strategy.model]
    assert strategy.tested_model is strategy.model


def test_an_error_in_a_test_leaves_the_trained_model_in_place():
    def fail(strategy):
        raise RuntimeError("in a test")

    benchmark = toy_benchmark(SIZES)
    strategy = strategy_with()
    model = strategy.model
    strategy.train(benchmark.train_stream[0])
    strategy.plugins.append(Each("after_eval_exp", fail))
    with pytest.raises(RuntimeError, match="in a test"):
        strategy.eval(benchmark.test_stream)
    assert strategy.model is model
    strategy.plugins.pop()
    strategy.train(benchmark.train_stream[1])
    strategy.eval(benchmark.test_stream)
    assert strategy.model is model


def test_a_copy_made_in_a_test_has_the_trained_model():
    copies, benchmark = [], toy_benchmark(SIZES)
    strategy = strategy_with(toy_model())
    strategy.train(benchmark.train_stream[:2])
    note = Each("before_eval_exp", lambda s: copies.append(copy.deepcopy(s)))
    strategy.plugins.append(note)
    strategy.eval(benchmark.test_stream)
    strategy.plugins.remove(note)
    other = copies[0]
    assert torch.equal(weights_of(other.model), weights_of(strategy.model))
    assert torch.equal(weights_of(other.tested_model), weights_of(strategy.tested_model))
