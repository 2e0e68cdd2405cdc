import random

import numpy as np
import pytest
import torch

from avalanche_emgd.gradients.random_state import RandomState

DRAWS = {
    "torch": lambda: torch.rand(3).tolist(),
    "python": lambda: [random.random()],
    "numpy": lambda: np.random.rand(2).tolist(),  # noqa: NPY002
}


def state_of(*attributes, thorough=True):
    state = RandomState([torch.ones(1)], attributes, thorough=thorough)
    state.save()
    return state


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_noticed_and_taken_back(name):
    state = state_of()
    assert not state.has_changed()
    first = DRAWS[name]()
    assert state.has_changed()
    state.restore()
    assert not state.has_changed()
    assert DRAWS[name]() == first


def test_generators_that_modules_hold():
    generator = torch.Generator()
    state = state_of(3, generator)
    first = torch.rand(3, generator=generator)
    assert state.has_changed()
    state.restore()
    assert torch.equal(torch.rand(3, generator=generator), first)


def test_quick_states_leave_python_and_numpy_out():
    state = state_of(thorough=False)
    DRAWS["python"]()
    assert not state.has_changed()
    DRAWS["torch"]()
    assert state.has_changed()
