import pytest
import torch

from avalanche_emgd.experiments.trace import LARGEST, WeightTrace
from avalanche_emgd.training import AvgGradStrategy
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy


class Seen(MultiGradientPlugin):
    """Keeps what the strategy has at each tick."""

    def __init__(self):
        super().__init__()
        self.ticks = {}

    def after_weighting(self, strategy, **kwargs):
        weights = dict(zip(strategy.objectives, strategy.weights.tolist(), strict=True))
        losses = dict(zip(strategy.objectives, strategy.objective_losses.tolist(), strict=True))
        self.ticks[strategy.tick] = (weights, losses)


@pytest.mark.parametrize("every", [1, 3])
def test_a_trace_has_the_values_of_regular_ticks(every):
    trace, seen = WeightTrace(every), Seen()
    toy_strategy(plugins=[trace, seen], memory_size=6).train(toy_benchmark().train_stream)
    for place, kind in enumerate(("weight", "loss")):
        expected = {}
        for tick in sorted(seen.ticks)[::every]:
            for objective, value in seen.ticks[tick][place].items():
                expected.setdefault(objective, []).append((tick, value))
        assert trace.trace[kind] == expected
    assert trace.trace["sigma"].keys() == trace.trace["weight"].keys()


def test_strategies_without_factors_have_none_in_their_trace():
    trace = WeightTrace(1)
    toy_strategy(AvgGradStrategy, plugins=[trace]).train(toy_benchmark().train_stream)
    assert trace.trace["weight"]
    assert trace.trace["sigma"] == {}


class Tick:
    """One tick of a strategy, with a weight of every size."""

    class clock:  # noqa: N801
        train_iterations = 0

    tick = 0
    objectives = ("least", "most", "too large", "infinite", "unknown")
    weights = torch.tensor(
        [-LARGEST, LARGEST, 2 * LARGEST, torch.inf, torch.nan], dtype=torch.float64
    )
    objective_losses = torch.ones(3)  # of another number of objectives


def test_values_that_cannot_be_drawn_are_left_out():
    trace = WeightTrace(1)
    trace.after_weighting(Tick)
    assert trace.trace == {
        "loss": {},
        "weight": {"least": [(0, -LARGEST)], "most": [(0, LARGEST)]},
        "sigma": {},
    }
