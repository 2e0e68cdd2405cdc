import pytest
import torch

from avalanche_emgd.gradients import StackedGradients
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.tolerance import assert_near, tolerance
from tests.toy import toy_benchmark
from tests.training.common import TERMS, toy_strategy


def test_loss_is_the_mean_of_the_objectives_losses():
    class Check(MultiGradientPlugin):
        def after_weighting(self, strategy, **kwargs):
            torch.testing.assert_close(strategy.loss.mean(), strategy.objective_losses.mean())

    toy_strategy(memory_size=6, plugins=[Check()]).train(toy_benchmark().train_stream)


class Reads(MultiGradientPlugin):
    """Checks what is seen of a tick, and replaces a part."""

    def __init__(self, replaced):
        super().__init__()
        self.replaced, self.ticks = replaced, 0

    def before_weighting(self, strategy, **kwargs):
        rows = strategy.gradients.double()
        bound = tolerance(torch.float32, TERMS) * torch.outer(*2 * [rows.norm(dim=1)])
        assert ((strategy.gramian - rows @ rows.T).abs() <= bound).all()
        sizes = [part.stop - part.start for part in strategy.mbatch.parts]
        assert [len(output) for output in strategy.raw_outputs] == sizes
        assert strategy.replayed == [name == "memory" for name in strategy.objectives]
        if self.replaced == "gramian":
            strategy.gramian = torch.eye(len(rows), dtype=torch.float64)
        elif self.replaced == "gradients":
            strategy.objective_gradients = StackedGradients(3.0 * strategy.gradients)

    def after_weighting(self, strategy, **kwargs):
        if self.replaced == "weights":
            strategy.weights = torch.full_like(strategy.weights, 0.5)
        self.weights, self.rows = strategy.weights.clone(), strategy.gradients.clone()

    def before_update(self, strategy, **kwargs):
        update = torch.cat([p.grad.flatten() for p in strategy.space.parameters])
        expected = self.weights.to(self.rows) @ self.rows
        assert_near(update, expected, TERMS, least=1.0)
        if self.replaced == "gramian":  # of equal lengths without conflicts
            assert_near(self.weights, self.weights[:1].expand_as(self.weights), TERMS)
        self.ticks += 1


@pytest.mark.parametrize("replaced", ["nothing", "gramian", "gradients", "weights"])
def test_the_update_is_that_of_what_plugins_see_and_replace(replaced):
    reads, benchmark = Reads(replaced), toy_benchmark()
    strategy = toy_strategy(memory_size=6, elastic="mgda", plugins=[reads])
    strategy.train(benchmark.train_stream)
    assert reads.ticks == benchmark.timeline.num_ticks
    assert strategy.raw_outputs == ()  # between ticks
