"""Trial passes of a model before training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from .._temporary_seed import temporary_seed
from ..gradients.forward_state import ForwardState
from ..gradients.model_structure import structure_of

__all__ = ["model_trial"]


@contextmanager
def model_trial(model: nn.Module) -> Iterator[None]:
    """Forward a model within the context, without gradients and without a trace.

    Modes, attributes and buffers of the model, and generators of random numbers, are restored at
    the end of the context, after an error, too. Within it the global generators have the seed 0.

    :param model: model to forward.
    """
    state = ForwardState(model, structure_of(model), thorough=True)
    try:
        with torch.no_grad(), temporary_seed(0):
            yield
    finally:
        state.restore()
