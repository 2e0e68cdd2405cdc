"""Heads that grow while a model is trained, and the state of its optimizer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from avalanche.models.dynamic_modules import DynamicModule, avalanche_model_adaptation
from torch import Tensor, nn
from torch.optim import Optimizer

from .classifier import find_classifier
from .cosine import CosineClassifier
from .nearest_mean import NearestMean

__all__ = ["carry_optimizer_state", "grow_heads", "grow_like"]


class _TaskToAdapt:
    """What Avalanche's dynamic modules read of an experience."""

    def __init__(self, task: int, classes: list[int]) -> None:
        self.task_labels = [task]
        self.classes_in_this_experience = classes


def grow_heads(model: nn.Module, tasks: Mapping[int, Iterable[int]], num_classes: int) -> None:
    """Give a model outputs for further classes.

    Avalanche's dynamic modules, such as ``IncrementalClassifier``, are adapted to one task at a
    time. Of other models, the linear classifier gets further rows where it has too few, see
    ``find_classifier`` of ``models.classifier``. Present rows keep their values; new
    ones begin as those of a new layer.

    :param model: any model; its modes do not change.
    :param tasks: class labels of the tasks that start or have new classes, by task label.
    :param num_classes: largest class label plus one.
    :raises ValueError: if a linear classifier has too few outputs and cannot grow.
    """
    if isinstance(model, NearestMean):
        grow_heads(model.model, tasks, num_classes)
        model.refresh()
    elif _is_dynamic(model):
        modes = {name: module.training for name, module in model.named_modules()}
        model.train()
        for task, labels in tasks.items():
            classes = sorted(labels)
            if classes:
                avalanche_model_adaptation(model, _TaskToAdapt(task, classes))
        for name, module in model.named_modules():
            module.training = modes.get(name, model.training)
    else:
        layer = _classifier(model)
        if layer is not None and len(layer.weight) < num_classes:
            _widen(layer, num_classes)


def grow_like(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give the linear classifier of a model as many rows as it has in a saved state.

    :param model: model without dynamic modules; others do not change.
    :param tensors: saved parameters by name.
    """
    layer = None if _is_dynamic(model) else _classifier(model)
    for name, parameter in list(model.named_parameters()):
        is_own = layer is not None and parameter is layer._parameters.get("weight")
        if is_own and name in tensors and len(tensors[name]) > len(parameter):
            _widen(layer, len(tensors[name]))


def _is_dynamic(model: nn.Module) -> bool:
    return any(isinstance(module, DynamicModule) for module in model.modules())


def _classifier(model: nn.Module) -> Any:
    if isinstance(model, NearestMean):
        return _classifier(model.model)
    cosine = [module for module in model.modules() if isinstance(module, CosineClassifier)]
    if cosine:
        return cosine[-1]
    try:
        return find_classifier(model)[1]
    except ValueError:
        return None  # the class mask says so if there are too few outputs


def _widen(layer: Any, num_classes: int) -> None:
    """Give a linear or cosine classifier more rows."""
    own = layer._parameters
    if own.get("weight") is None:
        raise ValueError(
            f"`model` has a classifier {type(layer).__name__} whose weight is computed from others,"
            f" so that it cannot grow to {num_classes} outputs: make it with as many."
        )
    weight = own["weight"]
    options = {"device": weight.device, "dtype": weight.dtype}
    fresh = nn.Linear(weight.shape[1], num_classes, **options)
    for name in ("weight", "bias"):
        old = own.get(name)
        if old is None:
            continue
        new = getattr(fresh, name)
        with torch.no_grad():
            new[: len(old)] = old
        own[name] = new.requires_grad_(old.requires_grad)
    if isinstance(layer, nn.Linear):
        layer.out_features = num_classes


def carry_optimizer_state(
    optimizer: Optimizer, before: Mapping[str, nn.Parameter], after: Mapping[str, nn.Parameter]
) -> dict[int, nn.Parameter]:
    """Put parameters that have grown into the place of the former ones, with their state.

    Moments and other tensors of the shape of a parameter keep their values; those of new rows are
    zero. Counts of steps stay. Where an optimizer keeps tensors of other shapes, as Adafactor, the
    state of the parameter begins anew, with a warning.

    :param optimizer: optimizer of the model.
    :param before: parameters before the growth, by name.
    :param after: parameters after it.
    :return: new parameters by the ``id`` of the former ones.
    """
    replaced = {
        id(old): after[name]
        for name, old in before.items()
        if name in after and after[name] is not old
    }
    for group in optimizer.param_groups:
        group["params"] = [replaced.get(id(each), each) for each in group["params"]]
    for name, old in before.items():
        if id(old) in replaced and old in optimizer.state:
            new = after[name]
            state = optimizer.state.pop(old)
            if all(_can_grow(value, old) for value in state.values()):
                optimizer.state[new] = {key: _grown(v, old, new) for key, v in state.items()}
            else:
                warnings.warn(
                    f"the state of {type(optimizer).__name__} for the parameter {name!r}, which "
                    "has grown, begins anew: it has tensors of other shapes.",
                    stacklevel=2,
                )
    return replaced


def _can_grow(value: Any, old: Tensor) -> bool:
    return not isinstance(value, Tensor) or value.numel() == 1 or value.shape == old.shape


def _grown(value: Any, old: Tensor, new: Tensor) -> Any:
    if not isinstance(value, Tensor) or value.shape != old.shape or value.ndim == 0:
        return value
    grown = value.new_zeros(new.shape)
    grown[tuple(map(slice, value.shape))] = value
    return grown
