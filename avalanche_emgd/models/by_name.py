"""Construction of models by name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import nn

from .._imports import find_callable
from .mlp import MLP
from .model_name import ModelName, check_model_name
from .resnet import ResNet18

__all__ = ["ModelName", "make_model"]

_SLIM = 20


def make_model(name: str, num_classes: int, shape: Sequence[int]) -> nn.Module:
    """Make a model for inputs of a given shape.

    :param name: name of a model: ``"mlp"`` (two hidden layers of 128 and 64 units), ``"resnet18"``,
        ``"slim-resnet18"`` (20 to 160 channels instead of 64 to 512), or ``module:callable``. The
        callable takes ``num_classes`` and ``shape``.
    :param num_classes: number of outputs, ≥ 1.
    :param shape: shape of one input; ``[C, H, W]`` for the residual networks.
    :raises ValueError: if the name is unknown, or the model does not take inputs of that shape.
    """
    check_model_name(name)
    if ":" in name:
        return _own(name, num_classes, shape)
    if name == "mlp":
        return MLP(num_classes, in_features=math.prod(shape))
    if len(shape) != 3:
        raise ValueError(
            f"`model` {name!r} is for images [C, H, W], but the inputs have shape "
            f"{tuple(shape)}: choose 'mlp'."
        )
    return ResNet18(num_classes, _SLIM if name == "slim-resnet18" else 64, in_channels=shape[0])


def _own(name: str, num_classes: int, shape: Sequence[int]) -> nn.Module:
    make = find_callable(name, "model")
    try:
        model = make(num_classes, tuple(shape))
    except TypeError as error:
        raise ValueError(
            f"`model` {name!r} cannot be called with the number of classes {num_classes} and the "
            f"shape {tuple(shape)} of an input: {error}"
        ) from error
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"`model` {name!r} must return a torch.nn.Module, found {type(model).__name__}."
        )
    return model
