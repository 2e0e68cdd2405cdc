"""Weightings that receive gradients, and losses after the update, in the training loop."""

import pytest
import torch
from torch import nn

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.optim.peers import CRMOGM, DBMTL, FAMO, ExcessMTL
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.tolerance import assert_near
from tests.toy import toy_benchmark
from tests.training.common import TERMS, toy_model, toy_strategy, weights_of


class Average(MultiGradientPlugin):
    """Plugin that averages the gradients of log losses before the weighting."""

    def __init__(self, beta):
        super().__init__()
        self.beta, self.averages, self.checked = beta, {}, 0

    def before_forward(self, strategy, **kwargs):
        self.before = weights_of(strategy.model)

    def after_forward(self, strategy, **kwargs):
        self.rows = {}
        for part in strategy.mbatch.parts:
            loss = strategy.loss_of(strategy.mb_x[part.start : part.stop], part)
            found = torch.autograd.grad(loss, list(strategy.model.parameters()))
            gradient = torch.cat([each.reshape(-1) for each in found])
            self.rows[part.objective] = gradient / (loss.detach() + 1e-8), gradient

    def after_update(self, strategy, **kwargs):
        old = self.averages
        new = {
            name: self.beta * old.get(name, torch.zeros_like(row)) + (1.0 - self.beta) * row
            for name, (row, _) in self.rows.items()
        }
        self.averages = {**old, **new}
        if len(new) == 1:
            expected = next(iter(self.rows.values()))[1]
        else:
            longest = max(each.norm() for each in new.values())
            expected = sum(each * (longest / each.norm()) for each in new.values())
            self.checked += 1
        update = (self.before - weights_of(strategy.model)) / 0.01
        assert_near(update, expected, 100 * TERMS, least=1.0)


@pytest.mark.parametrize("engine", [None, PlainEngine()], ids=["chosen", "plain"])
def test_a_weighting_may_replace_the_gradients(engine):
    check = Average(0.7)
    strategy = toy_strategy(
        MultiGradientTemplate,
        lr=0.01,
        weighting=DBMTL(0.7),
        memory_size=12,
        plugins=[check],
        engine=engine,
    )
    strategy.train(toy_benchmark().train_stream)
    assert check.checked >= 5


@pytest.mark.parametrize("kind", [DBMTL, ExcessMTL, lambda: CRMOGM(DBMTL())])
def test_a_weighting_sees_only_shared_parameters(kind):
    model = toy_model()
    shared = model.features if hasattr(model, "features") else next(model.children())
    strategy = toy_strategy(
        MultiGradientTemplate, model=model, weighting=kind(), memory_size=12, shared=shared
    )
    seen = []
    inner = strategy.weighting.see
    strategy.weighting.see = lambda rows: seen.append(rows.shape[1]) or inner(rows)
    strategy.train(toy_benchmark().train_stream)
    assert set(seen) == {sum(p.numel() for p in shared.parameters())}


class Watching(FAMO):
    def look_back(self, losses):
        self.seen = losses
        super().look_back(losses)


@pytest.mark.parametrize("wrap", [lambda weighting: weighting, CRMOGM])
def test_losses_after_the_update_are_of_the_same_samples(wrap):
    watching, counts = Watching(), []

    class After(MultiGradientPlugin):
        def after_update(self, strategy, **kwargs):
            losses = [
                strategy.loss_of(strategy.mb_x[p.start : p.stop], p).detach()
                for p in strategy.mbatch.parts
            ]
            assert torch.equal(torch.stack(losses), watching.seen)
            counts.append(len(losses))

    strategy = toy_strategy(
        MultiGradientTemplate, weighting=wrap(watching), memory_size=12, plugins=[After()]
    )
    strategy.train(toy_benchmark().train_stream)
    assert max(counts) >= 3


def test_losses_after_the_update_do_not_change_batch_norm():
    def model():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 6))

    def tracked(weighting):
        strategy = toy_strategy(MultiGradientTemplate, model=model(), weighting=weighting)
        strategy.train(toy_benchmark((20, 16, 16)).train_stream)
        return int(strategy.model[1].num_batches_tracked)

    assert tracked(FAMO()) == tracked(DBMTL())
