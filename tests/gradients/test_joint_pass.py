import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from avalanche_emgd.gradients import FusedEngine, PlainEngine
from avalanche_emgd.gradients.joint_pass import ComparedPass, JointPass, LeanComparedPass


def losses_of(made):
    return [cross_entropy(o, torch.zeros(len(o)).long()) for o in made.outputs]


@pytest.mark.parametrize(("lean", "kind"), [(False, ComparedPass), (True, LeanComparedPass)])
def test_passes_of_successive_ticks(lean, kind):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    engine, parameters = FusedEngine(model, lean=lean), list(model.parameters())
    batches, kinds = [torch.randn(4, 3), torch.randn(2, 3)], []
    expected = PlainEngine().forward(model, batches)
    expected = expected.gradients(losses_of(expected), parameters).rows
    for _ in range(4):
        made = engine.forward(model, batches)
        kinds.append(type(made))
        torch.testing.assert_close(made.gradients(losses_of(made), parameters).rows, expected)
    assert kinds == [kind, kind, JointPass, kind]


def fused(model, batches):
    engine = FusedEngine(model)
    for _ in range(2):
        made = engine.forward(model, batches)
        made.gradients(losses_of(made), list(model.parameters()))
    return engine, engine.forward(model, batches)


def test_losses_that_mix_objectives_are_differentiated_one_by_one():
    model, batches = nn.Linear(3, 2), [torch.randn(4, 3), torch.randn(2, 3)]
    engine, made = fused(model, batches)
    first, second = losses_of(made)
    found = made.gradients([first, second + first], list(model.parameters())).rows
    assert "depend on more than the outputs" in engine.reason
    torch.testing.assert_close(
        found[1], torch.cat([g.flatten() for g in gradients(model, batches, [1.0, 1.0])])
    )


def gradients(model, batches, weights):
    outputs = [model(batch) for batch in batches]
    loss = sum(
        w * cross_entropy(o, torch.zeros(len(o)).long())
        for w, o in zip(weights, outputs, strict=True)
    )
    return torch.autograd.grad(loss, list(model.parameters()))


def test_other_parameters_are_compared_first():
    model, batches = nn.Linear(3, 2), [torch.randn(4, 3), torch.randn(2, 3)]
    engine, made = fused(model, batches)
    assert isinstance(made, JointPass)
    rows = made.gradients(losses_of(made), [model.bias]).rows
    assert rows.shape == (2, 2)
    assert not isinstance(engine.forward(model, batches), JointPass)


@pytest.mark.parametrize("lean", [False, True])
def test_losses_that_are_not_one_for_each_objective(lean):
    model, batches = nn.Linear(3, 2), [torch.randn(4, 3), torch.randn(2, 3)]
    engine = FusedEngine(model, lean=lean)
    made = engine.forward(model, batches)
    rows = made.gradients([sum(losses_of(made))], list(model.parameters())).rows
    assert rows.shape == (1, 8)
    assert engine.reason == "its losses are not one for each objective"
