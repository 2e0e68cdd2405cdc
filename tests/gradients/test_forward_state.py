import random

import numpy as np
import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.forward_state import ForwardState
from avalanche_emgd.gradients.model_structure import structure_of


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.norm = nn.Linear(3, 2), nn.BatchNorm1d(2)
        self.register_buffer("count", torch.zeros(1))
        self.number, self.seen = 0, []

    def forward(self, x):
        return self.norm(self.layer(x))


def write_buffer(model):
    model.count += 1


def write_parameter(model):
    model.layer.weight.data.add_(1.0)
    with torch.no_grad():
        model.layer.weight.mul_(1.0)


def set_attribute(model):
    model.number = 5


def draw(model):
    torch.rand(1)


def state_of(model):
    return ForwardState(model, structure_of(model), thorough=True)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (write_buffer, "writes to a buffer"),
        (write_parameter, "writes to a parameter"),
        (set_attribute, "sets attributes"),
        (draw, "draws random numbers"),
    ],
)
def test_writes_are_named(write, words):
    model = Model()
    state = state_of(model)
    assert state.written() is None
    write(model)
    assert words in state.written()


def test_statistics_of_batch_norm_may_be_written():
    model = Model()
    x = torch.randn(4, 3)
    state = state_of(model)
    model(x)
    assert state.written() is None


def test_lists_are_looked_at_apart():
    model = Model()
    state = state_of(model)
    model.seen.append(3)
    assert state.written() is None
    assert "writes to a list" in state.filled()


def test_everything_but_parameters_is_restored():
    model = Model()
    state, before = state_of(model), {k: v.clone() for k, v in model.state_dict().items()}
    number = torch.rand(1)
    state = state_of(model)
    for write in (write_buffer, set_attribute, draw):
        write(model)
    model.seen.append(1)
    model(torch.randn(4, 3))
    state.restore()
    assert model.number == 0
    assert model.seen == []
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    following = torch.rand(1)
    state.restore()
    assert torch.equal(torch.rand(1), following)
    assert not torch.equal(number, following)


def nothing():
    pass


def test_only_generators_that_all_threads_share_give_another_chance():
    model = Model()
    for change, again in (
        (random.random, True),
        (np.random.rand, True),
        (lambda: torch.rand(1), False),
        (lambda: (random.random(), torch.rand(1)), False),
        (nothing, False),
    ):
        state, before, passes = state_of(model), random.getstate(), []

        def forward(change=change, passes=passes):
            passes.append(len(passes))
            if len(passes) == 1:  # as another thread draws, once in a while
                change()
            return passes[-1]

        found, written = state.undisturbed(forward)
        assert found == again
        assert (written is None) is (again or change is nothing)
        assert random.getstate() == before or not (again or change is nothing)


def test_a_model_that_always_draws_is_random():
    state, passes = state_of(Model()), []
    _, written = state.undisturbed(lambda: passes.append(random.random()))
    assert written == "its forward pass draws random numbers"
    assert len(passes) > 1
    assert len(set(passes)) == 1  # each from the same state
