"""Models by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from torch import nn

from .mlp import MLP
from .model_name import ModelName
from .resnet import ResNet18

__all__ = ["ModelName", "make_model"]

_SLIM = 20


def make_model(name: ModelName, num_classes: int, shape: Sequence[int]) -> nn.Module:
    """Make a model for inputs of a shape.

    :param name: ``"mlp"`` (two hidden layers of 128 and 64), ``"resnet18"`` or ``"slim-resnet18"``
        (20 to 160 channels instead of 64 to 512).
    :param num_classes: outputs.
    :param shape: of one input: of an image ``[C, H, W]``, for all but the MLP.
    :raises ValueError: if there is none of that name, or it does not take inputs of that shape.
    """
    if name not in get_args(ModelName):
        raise ValueError(
            f"`model` must be one of {', '.join(get_args(ModelName))}, found {name!r}."
        )
    if name == "mlp":
        return MLP(num_classes, in_features=math.prod(shape))
    if len(shape) != 3:
        raise ValueError(
            f"`model` {name!r} is for images [C, H, W], but the inputs have shape "
            f"{tuple(shape)}: choose 'mlp'."
        )
    return ResNet18(num_classes, _SLIM if name == "slim-resnet18" else 64, in_channels=shape[0])
