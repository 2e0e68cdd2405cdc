"""What users do to a model between ticks."""

import torch
from torch import nn
from torch.nn import functional

from .parts import WIDTH, hooked, linear, with_forward, zeroed


def _first_linear(model):
    """A linear layer that is as PyTorch makes it."""
    for layer in model.modules():
        if type(layer) is nn.Linear and "weight" in layer._parameters:
            return layer
    raise AssertionError("the head is one")


def hook(kind):
    return lambda model: hooked(_first_linear(model), kind)


def weight_norm(model):
    layer = _first_linear(model)
    if not layer._forward_pre_hooks:
        nn.utils.weight_norm(layer)


def replaced_forward(model):
    with_forward(_first_linear(model))


def in_place(model):
    for layer in model.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = True


def frozen(model):
    _first_linear(model).requires_grad_(False)


def unfrozen(model):
    model.requires_grad_(True)


def evaluation(model):
    model.eval()


def training(model):
    model.train()


def zero_head(model):
    with torch.no_grad():
        zeroed(model[-1])


def another_layer(model):
    model.insert(0, linear().double())


def another_weight(model):
    layer = _first_linear(model)
    layer.weight = nn.Parameter(torch.randn_like(layer.weight))


def mixing(model):
    model.insert(0, Centred())


class Centred(nn.Module):
    def forward(self, x):
        return x - x.mean(0)


class Switch(nn.Module):
    """Does nothing until its attribute is set."""

    mixes = False

    def forward(self, x):
        return x - x.mean(0) if self.mixes else x


def switched(model):
    for layer in model.modules():
        if isinstance(layer, Switch):
            layer.mixes = True


def global_function(model):
    """A function of the module's class in another's place."""
    layer = _first_linear(model)
    layer.forward = lambda input: functional.linear(input, layer.weight) - 0.01 * input.sum()


def own_data(model):
    for parameter in model.parameters():
        parameter.data = 0.5 * parameter.data


CHANGES = {
    "nothing": lambda model: None,
    "forward hook": hook("forward"),
    "hook before": hook("before"),
    "backward hook": hook("backward"),
    "parameter hook": hook("parameter"),
    "weight norm": weight_norm,
    "replaced forward": replaced_forward,
    "in place": in_place,
    "frozen": frozen,
    "unfrozen": unfrozen,
    "evaluation": evaluation,
    "training": training,
    "zero head": zero_head,
    "another layer": another_layer,
    "another weight": another_weight,
    "mixing": mixing,
    "switched": switched,
    "mixing forward": global_function,
    "own data": own_data,
}
assert WIDTH == 8
