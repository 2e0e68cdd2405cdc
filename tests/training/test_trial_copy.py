"""Copies of callables for trials."""

import threading
from functools import partial

import pytest
import torch

from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.training.trial_copy import trial_copy

KEPT = []


class Counting:
    """Callable that counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x


def test_objects_are_copied():
    for original in (Counting(), partial(Counting().__call__)):
        copied = trial_copy(original)
        assert copied is not original
        copied(1)
    counting = Counting()
    trial_copy(counting)(1)
    trial_copy(counting.__call__)(1)
    assert counting.calls == 0


def test_functions_without_state_stay():
    scale = 2.0

    def scaled(x):
        return torch.mul(x, scale)

    assert trial_copy(scaled) is scaled
    assert trial_copy(torch.square) is torch.square


def of_closure():
    kept = []
    return lambda x: kept.append(x)


def of_default(x, kept=KEPT):
    kept.append(x)


def of_global(x):
    KEPT.append(x)


class Locked(Counting):
    """Callable that cannot be copied."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    "original", [of_closure(), of_default, of_global, Locked(), EMGDWeighting()]
)
def test_others_have_no_copy(original):
    assert trial_copy(original) is None
