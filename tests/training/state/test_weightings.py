"""States of weightings: modules of TorchJD, objects with and without a state, functions."""

import pytest
import torch
from torchjd.aggregation import GradVacWeighting

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.reader import Reader
from avalanche_emgd.training.state.weightings import load_weighting, weighting_state
from avalanche_emgd.training.state.writer import KnownObjects
from tests.training.common import toy_model, toy_strategy
from tests.training.state.interrupted import interrupted, train_stream


def test_a_weighting_of_torchjd_with_a_state():
    def make(plugins):
        return toy_strategy(
            MultiGradientTemplate, memory_size=12, plugins=plugins, weighting=GradVacWeighting()
        )

    interrupted(make, train_stream)


class Counts:
    """Weighting with plain attributes."""

    def __init__(self):
        self.calls = 0

    def __call__(self, gramian):
        self.calls += 1
        return torch.full((len(gramian),), 1.0 / (len(gramian) + self.calls)).double()


class Saves(Counts):
    """Weighting that saves and loads its state itself."""

    def state_dict(self):
        return {"n": self.calls}

    def load_state_dict(self, state):
        self.calls = state["n"]


@pytest.mark.parametrize("kind", [Counts, Saves])
def test_objects_that_are_no_modules(kind):
    def make(plugins):
        return toy_strategy(
            MultiGradientTemplate, memory_size=12, plugins=plugins, weighting=kind()
        )

    interrupted(make, train_stream)


def test_functions_and_classes_have_no_state():
    for weighting in (None, len, Counts):
        assert weighting_state(weighting, KnownObjects()) is None


def test_another_module_is_refused():
    state = weighting_state(torch.nn.Sequential(GradVacWeighting()), KnownObjects())
    reader = Reader(toy_model(), torch.device("cpu"), "strategy")
    with pytest.raises(StateError, match="`weighting` is of another kind"):
        load_weighting(GradVacWeighting(), state, reader)
