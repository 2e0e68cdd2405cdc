"""Strategies that several processes train with."""

import torch
from avalanche.core import SupervisedPlugin
from avalanche.training.plugins import LwFPlugin

from avalanche_emgd import EMGDStrategy, MultiGradientTemplate
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training import METHODS, make_method
from avalanche_emgd.training.plugins import GradientAccumulationPlugin


class Penalised(MultiGradientTemplate):
    """Losses depend on parameters directly, too."""

    def objective_loss(self, output, part):
        squares = [p.square().sum() for p in self.model.parameters()]
        return super().objective_loss(output, part) + 0.01 * torch.stack(squares).sum()


class Entangling(SupervisedPlugin):
    """Lets the losses of all objectives depend on the outputs of all."""

    def after_forward(self, strategy, **kwargs):
        mean = strategy.mb_output.clamp(-5.0, 5.0).tanh().mean()
        strategy.mb_output = strategy.mb_output * (1.0 + 0.1 * mean)


class Extending(SupervisedPlugin):
    """Adds a function of the outputs to the loss."""

    def before_backward(self, strategy, **kwargs):
        strategy.loss += 0.1 * strategy.mb_output.clamp(-5.0, 5.0).square().mean()


STRATEGIES = {
    "emgd": EMGDStrategy,
    "accumulating": lambda net, plugins, **options: EMGDStrategy(
        net, plugins=[Extending(), GradientAccumulationPlugin(3), *plugins], **options
    ),
    "penalised": lambda net, **options: Penalised(net, weighting=ERWeighting(), **options),
    "entangled": lambda net, plugins, **options: EMGDStrategy(
        net, plugins=[Entangling(), *plugins], **options
    ),
    "extended": lambda net, plugins, **options: EMGDStrategy(
        net, plugins=[Extending(), *plugins], **options
    ),
    "distilled": lambda net, plugins, **options: EMGDStrategy(
        net, plugins=[LwFPlugin(1.0, 2.0), *plugins], **options
    ),
}


def _by_method(name):
    def make(net, engine, distributed, memory_size, **options):
        kept = memory_size if METHODS[name].has_memory else 0
        made = make_method(name, net, {}, memory_size=kept, seed=0, device="cpu", **options)
        if distributed is not None:
            made.use_processes(distributed)
        return made

    return make


STRATEGIES |= {name: _by_method(name) for name in METHODS}
