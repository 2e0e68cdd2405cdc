"""Gradients of the rules of memory editing against differentiation of their functions."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from avalanche_emgd.training.editing.rules import EDITING_RULES, GMEDRule, Replayed
from tests.tolerance import tolerance

TARGETS = torch.tensor([0, 2, 1, 1])


def replayed(seed=0):
    """A minibatch of a small model in double precision."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    x = torch.randn(4, 5, dtype=torch.float64)
    parameters = list(model.parameters())
    size = sum(p.numel() for p in parameters)

    def loss(inputs):
        return functional.cross_entropy(model(inputs), TARGETS)

    direction, ahead = torch.randn(2, size, dtype=torch.float64)
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss(x), parameters)])
    return Replayed(x, loss, model, parameters, gradient, direction, lambda: 0.1 * ahead)


def own_gradient(each, inputs):
    grads = torch.autograd.grad(each.loss(inputs), each.parameters, create_graph=True)
    return torch.cat([grad.flatten() for grad in grads])


def moved_loss(each, inputs):
    start = dict(each.model.named_parameters())
    pieces = each.look_ahead().split([p.numel() for p in each.parameters])
    moved = {
        name: value.detach() + piece.view_as(value)
        for (name, value), piece in zip(start.items(), pieces, strict=True)
    }
    return functional.cross_entropy(torch.func.functional_call(each.model, moved, inputs), TARGETS)


FUNCTIONS = {
    "distance": lambda each, x: 0.5 * (own_gradient(each, x) - each.direction).square().sum(),
    "agreement": lambda each, x: -(own_gradient(each, x) @ each.direction),
    "gmed": lambda each, x: 1.01 * each.loss(x) - moved_loss(each, x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_rules_are_gradients_of_their_functions(name, seed):
    each = replayed(seed)
    inputs = each.x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(FUNCTIONS[name](each, inputs), inputs)
    found = EDITING_RULES[name]().gradient(each)
    bound = tolerance(torch.float64, 100) * float(expected.norm())
    torch.testing.assert_close(found, expected, rtol=0.0, atol=max(bound, 1e-12))


@pytest.mark.parametrize("seed", range(3))
def test_the_cosine_rule_has_the_direction_of_its_gradient(seed):
    each = replayed(seed)
    inputs = each.x.clone().requires_grad_()
    cosine = functional.cosine_similarity(own_gradient(each, inputs), each.direction, dim=0)
    (expected,) = torch.autograd.grad(-cosine, inputs)
    found = EDITING_RULES["cosine"]().gradient(each)
    assert (
        float(functional.cosine_similarity(found.flatten(), expected.flatten(), dim=0)) > 1 - 1e-9
    )


@pytest.mark.parametrize("name", EDITING_RULES)
def test_neither_parameters_nor_inputs_change(name):
    each = replayed()
    before = [p.detach().clone() for p in each.parameters]
    inputs = each.x.clone()
    EDITING_RULES[name]().gradient(each)
    assert all(map(torch.equal, each.parameters, before))
    assert torch.equal(each.x, inputs)
    assert all(p.grad is None for p in each.parameters)


@pytest.mark.parametrize("beta", [-0.1, float("inf"), float("nan")])
def test_weights_of_the_current_loss_are_not_negative(beta):
    with pytest.raises(ValueError, match="`beta` must be at least 0 and finite, found"):
        GMEDRule(beta)
