"""Separate passes, and so the fused engine, against PyTorch's own gradients of many losses."""

import copy

import pytest
import torch
from torch.func import functional_call, grad, replace_all_batch_norm_modules_, vmap
from torch.nn import functional

from avalanche_emgd.gradients import FusedEngine, PlainEngine

from .blocks import ORDINARY
from .parts import WIDTH
from .test_never_wrong import CLASSES, close, network

REFUSED = {"checkpoint", "channels last"}  # by vmap


@pytest.mark.parametrize("block", [each for each in ORDINARY if each not in REFUSED])
def test_engines_find_what_vmap_finds(block):
    torch.manual_seed(0)
    model = network([block])
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    twin = copy.deepcopy(model)
    for layer in twin.modules():
        if layer.training and "BatchNorm" in type(layer).__name__:
            replace_all_batch_norm_modules_(layer)  # vmap refuses running statistics
    x = torch.randn(3, 4, WIDTH, dtype=torch.float64)
    y = torch.randint(0, CLASSES, (3, 4))

    def loss(parameters, x, y):
        return functional.cross_entropy(functional_call(twin, parameters, (x,)), y)

    found = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    expected = torch.cat([found[name].reshape(3, -1) for name in parameters], dim=1)
    fused = FusedEngine(model)
    for engine in (PlainEngine(), fused, fused, fused, fused):
        made = engine.forward(model, list(x))
        losses = [functional.cross_entropy(o, t) for o, t in zip(made.outputs, y, strict=True)]
        rows = made.gradients(losses, list(parameters.values())).rows.detach()
        assert close(rows, expected, float(expected.abs().max()))
    # Layers below a zero head have no gradients here, so that they cannot be compared.
    assert (fused.reason is None) is (not block.startswith("zero"))
