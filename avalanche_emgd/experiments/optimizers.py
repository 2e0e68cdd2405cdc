"""Optimizers by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["OptimizerName", "make_optimizer"]

OptimizerName = Literal["adam", "adamw", "sgd"]


def make_optimizer(
    name: OptimizerName, model: nn.Module, learning_rate: float, weight_decay: float
) -> Optimizer:
    """Make an optimizer of all parameters of a model.

    :param name: name, ``"adam"``, ``"adamw"`` (with decoupled weight decay) or ``"sgd"`` (without
        momentum).
    :param model: model to train.
    :param learning_rate: learning rate, > 0.
    :param weight_decay: weight decay, ≥ 0.
    :raises ValueError: if the model has no parameter that requires a gradient.
    """
    from torch.optim import SGD, Adam, AdamW

    kinds: dict[OptimizerName, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(
            f"`model` must have a parameter to train, found {type(model).__name__} without any."
        )
    settings = {"lr": learning_rate, "weight_decay": weight_decay}
    return kinds[name](model.parameters(), **settings)  # type: ignore[arg-type]
