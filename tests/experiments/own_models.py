"""Models for tests, named ``own_models:...``."""

import math

from torch import nn


def linear(num_classes, shape):
    """A single layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), num_classes))


def embedding(num_classes, shape):
    """A linear classifier of the mean of embedded token ids."""
    (_,) = shape  # [length]
    return nn.Sequential(nn.EmbeddingBag(30, 8), nn.Linear(8, num_classes))


def nothing(num_classes, shape):
    """Make a model without parameters."""
    return nn.Flatten()
