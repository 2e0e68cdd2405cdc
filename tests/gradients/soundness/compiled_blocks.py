"""Blocks of random networks that are compiled or traced."""

import torch

from .parts import WIDTH, Of, linear


def compiled_in_place():
    layer = linear()
    layer.compile(backend="eager")
    return layer


# They take a second each.
COMPILED = {
    "traced": lambda: torch.jit.trace(linear().double(), torch.randn(4, WIDTH).double()),
    "compiled": lambda: torch.compile(linear(), backend="eager"),
    "compiled with its gradients": lambda: torch.compile(linear(), backend="aot_eager"),
    "compiled in place": compiled_in_place,
    "compiled inside": lambda: Of(
        torch.compile(lambda s, x: torch.tanh(s.layer(x)), backend="eager", fullgraph=True),
        layer=linear(),
    ),
}
