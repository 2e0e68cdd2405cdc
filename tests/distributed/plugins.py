"""Plugins that record what several processes train, or end one of them."""

import os
import signal

import torch
from avalanche.core import SupervisedPlugin

from avalanche_emgd import save_checkpoint
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.training.common import weights_of


class Record(SupervisedPlugin):
    """Keeps the update and the weights after some ticks."""

    def __init__(self):
        super().__init__()
        self.updates, self.weights, self.losses, self.outputs = [], [], [], []

    def after_forward(self, strategy, **kwargs):
        self.outputs.append(float(strategy.mb_output.clamp(min=-1e3).sum()))

    def after_update(self, strategy, **kwargs):
        self.losses.append(strategy.objective_losses.tolist())
        gradients = [(p.grad, p) for p in strategy.model.parameters()]
        flat = [(torch.zeros_like(p) if g is None else g).flatten() for g, p in gradients]
        self.updates.append(torch.cat(flat))
        self.weights.append(weights_of(strategy.model))


def is_last():
    return int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]) - 1


class Failing(SupervisedPlugin):
    """Ends the last process at tick 5."""

    def __init__(self, way):
        super().__init__()
        self.way = way

    def before_forward(self, strategy, **kwargs):
        if strategy.tick == 5 and is_last():
            if self.way == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("no more samples")


class Stopping(SupervisedPlugin):
    """Asks to stop at a tick, on all processes or on the last one."""

    def __init__(self, callback, tick, alone):
        super().__init__()
        self.tick, self.alone = tick, alone
        setattr(self, callback, self._ask)

    def _ask(self, strategy, **kwargs):
        if strategy.tick == self.tick and not (
            self.alone and "RANK" in os.environ and not is_last()
        ):
            strategy.stop_training()


class SavingAlone(MultiGradientPlugin):
    """Saves the state on process 0 after tick 7."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def after_tick(self, strategy, **kwargs):
        if strategy.clock.train_iterations == 7 and strategy.processes.is_first:
            save_checkpoint(self.path, strategy.state_dict())

    def state_dict(self):
        return {}
