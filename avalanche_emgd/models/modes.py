"""Temporary modes of a model: evaluation and frozen batch norm statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

__all__ = ["evaluation_mode", "frozen_statistics"]


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and restore the mode of each module afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch norm unchanged, in either mode of the model.

    In training mode each batch is still normalised by its own statistics.
    """
    tracking = [
        module
        for module in model.modules()
        if isinstance(module, _NormBase) and module.training and module.track_running_stats
    ]
    for module in tracking:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True
