import torch

from avalanche_emgd.training.peers.graddrop import GradDropStrategy
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.tolerance import tolerance
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy


class Updates(MultiGradientPlugin):
    """Plugin that records the gradients and the update of each tick."""

    def __init__(self):
        super().__init__()
        self.ticks = []

    def after_backward(self, strategy, **kwargs):
        update = torch.cat([p.grad.reshape(-1) for p in strategy.space.parameters])
        self.ticks.append((strategy.gradients.clone(), update))


def test_graddrop_sums_all_gradients_of_one_sign_per_parameter():
    updates = Updates()
    strategy = toy_strategy(GradDropStrategy, memory_size=12, plugins=[updates])
    strategy.train(toy_benchmark().train_stream)
    several = [(rows, update) for rows, update in updates.ticks if len(rows) > 1]
    assert several
    signs = set()
    for rows, update in several:
        positive, negative = rows.clamp(min=0.0).sum(0), rows.clamp(max=0.0).sum(0)
        bound = tolerance(torch.float32, len(rows)) * rows.abs().sum(0)
        took_positive = (update - positive).abs() <= bound
        took_negative = (update - negative).abs() <= bound
        assert (took_positive | took_negative).all()
        signs |= {bool(x) for x in torch.unique(took_positive[(positive > 0.1)])}
    assert signs == {True, False}
    assert strategy.weights.shape == (0,)


def test_graddrop_of_one_objective_is_its_gradient():
    updates = Updates()
    strategy = toy_strategy(GradDropStrategy, plugins=[updates])
    strategy.train(toy_benchmark().train_stream)
    alone = [(rows, update) for rows, update in updates.ticks if len(rows) == 1]
    assert alone
    for rows, update in alone:
        assert torch.equal(update, rows[0])


def test_graddrop_sums_the_gradients_of_unshared_parameters():
    updates, model = Updates(), toy_model()
    strategy = toy_strategy(GradDropStrategy, model, shared=model.backbone, plugins=[updates])
    strategy.train(toy_benchmark().train_stream)
    for rows, update in updates.ticks:
        rest = slice(strategy.space.num_shared, None)
        torch.testing.assert_close(update[rest], rows[:, rest].sum(0))
