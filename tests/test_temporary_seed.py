"""Global generators, seeded for a while."""

import random

import numpy as np
import pytest
import torch

from avalanche_emgd._temporary_seed import temporary_seed


def draw():
    return random.random(), np.random.random(), float(torch.rand(()))  # noqa: NPY002


def test_the_seed_decides_inside_and_nothing_changes_outside():
    with temporary_seed(1):
        expected = draw()
    with temporary_seed(2):
        one, two = draw(), draw()
    with temporary_seed(2):
        again = draw()
        with pytest.raises(KeyError), temporary_seed(3):
            {}[draw()]
        assert draw() == two
    assert again == one != two
    with temporary_seed(1):
        assert draw() == expected
    with temporary_seed(4):
        before = draw()
    with temporary_seed(4):
        with temporary_seed(5):
            draw()
        assert draw() == before
