"""The fused engine tells random numbers that a model draws from those of another thread."""

import random
import threading

import numpy as np
import pytest
import torch
from torch import nn

from avalanche_emgd.gradients import FusedEngine


class Watched(nn.Module):
    """Linear layer that calls a function at each forward pass."""

    def __init__(self, called):
        super().__init__()
        self.layer, self.called = nn.Linear(3, 2), called

    def forward(self, x):
        self.called()
        return self.layer(x)


DRAWS = [random.random, np.random.rand]


def compared(model):
    """Make a tick of three objectives, which is compared; return the engine."""
    engine = FusedEngine(model)
    made = engine.forward(model, [torch.randn(4, 3) for _ in range(3)])
    made.gradients([each.square().sum() for each in made.outputs], list(model.parameters()))
    return engine


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("number", range(1, 5))
def test_draws_of_another_thread_are_none_of_the_model(draw, number):
    """Calls 1 to 3 are those of the objectives, the fourth is that of the joint pass."""
    calls = []

    def called():
        calls.append(draw)
        if len(calls) == number:
            thread = threading.Thread(target=draw)
            thread.start()
            thread.join()

    assert compared(Watched(called)).reason is None
    assert len(calls) == (7 if number < 4 else 5)


@pytest.mark.parametrize("draw", DRAWS)
def test_a_model_that_draws_takes_separate_passes_and_draws_once_for_each(draw):
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # the generator that threads share
    engine = compared(Watched(draw))
    assert engine.reason == "its forward pass draws random numbers"
    following = draw()
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # the generator that threads share
    assert [draw() for _ in range(4)][3] == following
