import random

import numpy as np
import pytest
import torch

from avalanche_emgd.training.state.random_states import random_states, restore_random_states
from tests.training.common import toy_strategy
from tests.training.state.common import as_file, from_file
from tests.training.state.interrupted import interrupted, train_stream
from tests.training.state.noisy import Noisy


def test_generators_of_all_kinds():
    interrupted(
        lambda plugins: toy_strategy(memory_size=12, plugins=[Noisy(), *plugins]), train_stream
    )


def draws():
    return (
        [random.random() for _ in range(3)],
        random.gauss(0.0, 1.0),
        np.random.normal(size=3).tolist(),  # noqa: NPY002
        np.random.random(),  # noqa: NPY002
        torch.rand(3).tolist(),
    )


@pytest.mark.parametrize("before", [0, 1])
def test_draws_after_a_restored_state_are_the_same(before):
    for _ in range(before):  # the second number of a pair of Gaussians waits then
        random.gauss(0.0, 1.0)
        np.random.normal()  # noqa: NPY002
    content = as_file(random_states())
    expected = draws()
    assert draws() != expected
    restore_random_states(from_file(content))
    assert draws() == expected
