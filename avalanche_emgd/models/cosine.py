"""Cosine classifiers: logits from angles instead of inner products."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .._numbers import check_positive
from .classifier import find_classifier

__all__ = ["CosineClassifier", "shift_angle", "use_cosine_classifier"]


class CosineClassifier(nn.Module):
    """Logits ``scale`` · cos θ, with θ the angle between a feature and the vector of a class.

    :param linear: layer whose weight the classifier shares. An optimizer that holds this parameter
        continues to train it. The bias is not used.
    :param scale: largest logit, > 0.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, linear: nn.Linear, scale: float) -> None:
        super().__init__()
        check_positive("scale", scale)
        self.weight = linear.weight
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """Compute the logits ``[B, K]``, in [−scale, scale], of features ``[B, F]``."""
        return self.scale * functional.linear(
            functional.normalize(features), functional.normalize(self.weight)
        )

    def extra_repr(self) -> str:
        """Describe sizes and scale."""
        classes, features = self.weight.shape
        return f"in_features={features}, out_features={classes}, scale={self.scale}"


def use_cosine_classifier(model: nn.Module, scale: float) -> None:
    """Replace the model's linear classifier by a cosine classifier.

    :param model: model with one linear classifier, as
        :func:`~avalanche_emgd.models.classifier.find_classifier` finds it.
    :param scale: largest logit, > 0.
    :raises ValueError: if the model has no linear classifier, or already has a cosine classifier,
        or the scale is not positive.
    """
    for module in model.modules():
        if isinstance(module, CosineClassifier):
            raise ValueError("`model` has a cosine classifier already: make a new model.")
    name, linear = find_classifier(model)
    model.set_submodule(name, CosineClassifier(linear, scale))


def shift_angle(cosine: Tensor, margin: float) -> Tensor:
    """Compute the cosine of θ + margin from the cosine of θ.

    For θ + margin > π, the result is cos θ − margin · sin margin, as in the code of Deng et al.
    (ArcFace, CVPR 2019). It continues to decrease with θ, and its gradient does not change sign.

    :param cosine: cos θ, of any shape.
    :param margin: angle in [0, π/2]; in this range the result does not increase at θ + margin = π.
    """
    sine = (1.0 - cosine.square()).clamp(min=1e-7).sqrt()
    shifted = cosine * math.cos(margin) - sine * math.sin(margin)
    beyond = cosine < -math.cos(margin)
    return torch.where(beyond, cosine - margin * math.sin(margin), shifted)
