"""A plugin with generators of all kinds."""

import random

import numpy as np
import torch

from avalanche_emgd.training.plugins import MultiGradientPlugin


class Noisy(MultiGradientPlugin):
    """A plugin of a user's, which draws from generators of all kinds."""

    def __init__(self):
        super().__init__()
        self.own = random.Random(1)
        self.numpy = np.random.default_rng(1)
        self.torch = torch.Generator().manual_seed(1)
        self.seen = set()
        self.last = np.zeros(2, dtype=np.float32)

    def before_forward(self, strategy, *args, **kwargs):
        noise = self.own.random() + self.numpy.random() + random.random() + np.random.random()  # noqa: NPY002
        noise += float(torch.rand((), generator=self.torch)) + float(torch.rand(()))
        self.last += np.float32(noise)
        self.seen.add(strategy.tick)
        strategy.mbatch[0] = strategy.mbatch[0] + float(self.last.sum()) / 100 * len(self.seen)
