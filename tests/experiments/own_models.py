"""Models for tests, named ``own_models:...``."""

import math

from torch import nn


def linear(num_classes, shape):
    """A single layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), num_classes))
