"""Warnings about losses on different scales and about short directions."""

import warnings

import pytest
import torch

from avalanche_emgd import EMGDStrategy, Timeline
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy


class Scaled(EMGDStrategy):
    """Strategy that scales the losses of some objectives."""

    factors = None

    def objective_loss(self, output, part):
        return (self.factors or {}).get(part.objective, 1.0) * super().objective_loss(output, part)


def messages(factors=None, sizes=(280, 280), elastic="gmc", timeline=Timeline.joint):
    strategy = toy_strategy(Scaled, elastic=elastic, lr=1e-6, memory_size=12)
    strategy.factors = factors
    spans = timeline([-(-size // 4) for size in sizes])
    torch.manual_seed(0)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        strategy.train(toy_benchmark(sizes, timeline=spans).train_stream)
    return [str(each.message) for each in found if issubclass(each.category, UserWarning)]


@pytest.mark.parametrize("elastic", ["gmc", "gs", "egda"])
@pytest.mark.parametrize("timeline", [Timeline.joint, Timeline.serial])
def test_an_ordinary_run_gives_no_warning(elastic, timeline):
    assert messages(elastic=elastic, timeline=timeline) == []


@pytest.mark.parametrize("timeline", [Timeline.joint, Timeline.serial])
def test_a_loss_on_another_scale_gives_one_warning(timeline):
    (found,) = messages({"task1": 100.0, "task2": 1e5}, (40, 40, 40), timeline=timeline)
    assert "the first loss of 'task1' is" in found
    assert "scale the losses of all tasks to the same size" in found


@pytest.mark.parametrize("factor", [10.0, 0.0, 1e-5])
def test_slightly_larger_and_smaller_losses_give_no_warning(factor):
    assert messages({"task1": factor}, (40, 40, 40), timeline=Timeline.serial) == []


def test_a_converged_objective_that_shortens_the_direction_gives_a_warning():
    (found,) = [each for each in messages({"task0": 1e-8}, elastic="mgda") if "directions" in each]
    assert "shorter than 0.001 of the mean gradient for 64 ticks" in found
    assert "EMGDWeighting(Constant(lower_bound=0.0))" in found


def test_one_objective_or_few_ticks_give_no_warning():
    assert messages({"task0": 1e-8}, (280,), "mgda") == []
    assert "directions" not in " ".join(messages({"task0": 1e-8}, (200, 200), "mgda"))
