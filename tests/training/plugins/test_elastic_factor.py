import torch

from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy


def test_elastic_factors_forget_finished_tasks():
    strategy = toy_strategy(elastic="gmc", memory_size=6)
    strategy.train(toy_benchmark().train_stream)
    state = strategy.elastic_factors.weighting.elastic.state_dict()
    assert [name for name, _ in state["objectives"]] == ["memory"]


def test_a_user_defined_factor_receives_the_objectives():
    seen = []

    def rule(gramian, objectives):
        seen.append(tuple(objectives))
        return torch.ones(len(objectives))

    toy_strategy(elastic=rule).train(toy_benchmark().train_stream)
    assert set(seen) == {("task0",), ("task0", "task1"), ("task1",), ("task1", "task2"), ("task2",)}


def test_factors_are_in_the_order_of_the_objectives():
    class Check(MultiGradientPlugin):
        lengths = []  # noqa: RUF012

        def after_weighting(self, strategy, **kwargs):
            self.lengths.append(len(strategy.elastic_factors.sigma))
            assert len(strategy.objectives) == self.lengths[-1]

    strategy = toy_strategy(memory_size=6, plugins=[Check()])
    assert strategy.elastic_factors.sigma is None  # before the first tick
    strategy.train(toy_benchmark().train_stream)
    assert set(Check.lengths) == {1, 2, 3}
