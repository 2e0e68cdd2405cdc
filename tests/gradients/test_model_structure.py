import copy

import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.model_structure import modules_of, same_structure, structure_of


def model():
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()))


def test_modules_are_those_of_pytorch_each_once():
    found = model()
    assert set(modules_of(found)) == set(found.modules())
    assert len(modules_of(found)) == len(list(found.modules()))


def test_numbers_in_tensors_are_no_change():
    found = model()
    before = structure_of(found)
    with torch.no_grad():
        found[0].weight += 1.0
    found(torch.randn(3, 2))
    assert same_structure(structure_of(found), before)


def add_hook(found):
    found[0].register_forward_hook(lambda *args: None)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.eval(),
        lambda found: found[0].weight.requires_grad_(False),
        lambda found: found.append(nn.ReLU()),
        lambda found: setattr(found[3][1], "p", 0.3),
        lambda found: setattr(found[0], "weight", nn.Parameter(torch.ones(2, 2))),
        lambda found: found[0].weight.register_hook(lambda gradient: gradient),
        add_hook,
    ],
)
def test_changes(change):
    found = model()
    before = structure_of(found)
    change(found)
    assert not same_structure(structure_of(found), before)


def test_a_copy_is_another_model():
    found = model()
    assert not same_structure(structure_of(copy.deepcopy(found)), structure_of(found))


def test_modes_and_hooks_on_saved_tensors_are_part_of_it():
    found = model()
    before = structure_of(found)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        assert not same_structure(structure_of(found), before)
    with torch.device("cpu"):
        assert not same_structure(structure_of(found), before)
    assert same_structure(structure_of(found), before)
