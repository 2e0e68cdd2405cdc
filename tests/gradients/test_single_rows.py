import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from avalanche_emgd.gradients import Batches, FusedEngine, PlainEngine
from avalanche_emgd.gradients.joint_forward import JointForward
from avalanche_emgd.gradients.layer_gradient import LayerGradient
from avalanche_emgd.gradients.model_structure import modules_of
from avalanche_emgd.gradients.rules import is_known
from avalanche_emgd.gradients.single_rows import SingleRows, _of_one
from tests.gradients.test_fused_engine import MODELS
from tests.tolerance import tolerance

SIZES = (5, 2, 4)


def layer_gradients(model, x, targets):
    batches = Batches(x, list(SIZES))
    layers = [each for each in modules_of(model) if is_known(each)]
    joint = JointForward(model, batches, layers, False)
    pieces = zip(joint.output.split(joint.sizes), targets.split(list(SIZES)), strict=True)
    loss = sum(cross_entropy(output, y) for output, y in pieces)
    (output_gradients,) = torch.autograd.grad(loss, joint.output, retain_graph=True)
    found, _ = joint.backward_from(output_gradients, next(model.parameters()), retain_graph=False)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_rows_are_those_of_separate_passes(name):
    make, shape = MODELS[name]
    model = make().double()
    x, targets = torch.randn(11, *shape).double(), torch.randint(0, 5, (11,))
    parameters = [*model.parameters(), nn.Parameter(torch.ones(3).double())]  # one is not used
    rows = SingleRows(layer_gradients(model, x, targets), parameters)
    made = PlainEngine().forward(model, x.split(list(SIZES)))
    losses = [cross_entropy(o, y) for o, y in zip(made.outputs, targets.split(SIZES), strict=True)]
    expected = made.gradients(losses, parameters).rows
    for k in (2, 0, 1, 0):  # in any order
        found = rows.row(k)
        assert [piece.numel() for piece in found] == [p.numel() for p in parameters]
        error = float((torch.cat(list(found)) - expected[k]).norm())
        assert error <= tolerance(torch.float64, 1000) * (1 + float(expected[k].norm()))


def test_rows_of_a_group_take_all_of_its_samples():
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 5)).double()
    batches = Batches(torch.randn(11, 6).double(), [5, 2, 4], [1, 2])
    parameters, found = list(model.parameters()), []
    for engine in (FusedEngine(model, lean=True), PlainEngine()):
        made = engine.forward(model, batches)
        losses = [cross_entropy(o, torch.zeros(len(o)).long()) for o in made.outputs]
        found.append(made.gradients(losses, parameters).rows.clone())
    torch.testing.assert_close(*found)


def test_gradients_that_the_graph_has_by_objective_are_cut_to_one():
    x, back = torch.randn(5, 2), torch.randn(5, 2)
    own = {"weight": torch.arange(6.0).view(3, 2)}
    gradient = LayerGradient(nn.BatchNorm1d(2), [(x, back, [1, 2, 2])], own)
    for k, part in enumerate((slice(0, 1), slice(1, 3), slice(3, 5))):
        found = _of_one(gradient, list(gradient.pieces()), k)
        assert torch.equal(found.own["weight"], own["weight"][k][None])
        assert torch.equal(found.inputs, x[part])
        assert torch.equal(found.backprops, back[part])
