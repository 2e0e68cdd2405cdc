"""States of models, among them models whose heads have grown."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from avalanche.models import IncrementalClassifier, MultiHeadClassifier
from avalanche.models.dynamic_modules import DynamicModule
from torch import Tensor, nn

from .errors import StateError

__all__ = ["grow_to", "load_like", "load_tensors", "module_state"]


def module_state(module: nn.Module) -> dict[str, Any]:
    """Return copies of a module's parameters and buffers, with its modes.

    :param module: any module.
    :return: ``tensors`` by name, ``training`` (names of modules in training mode) and ``trained``
        (names of parameters with ``requires_grad``).
    """
    tensors = {
        name: value.detach().clone()
        for name, value in module.state_dict().items()
        if isinstance(value, Tensor)
    }
    return {
        "tensors": tensors,
        "training": [name for name, each in module.named_modules() if each.training],
        "trained": [name for name, each in module.named_parameters() if each.requires_grad],
    }


def load_like(
    state: Mapping[str, Any], before: nn.Module | None, model: nn.Module
) -> nn.Module | None:
    """Load a state into a module, or into a copy of the part of a model that has its tensors.

    :param state: result of :func:`module_state`.
    :param before: module of the state's names and shapes, if there is one.
    :param model: model that may have the part.
    :return: the module; ``None`` if no part of the model has the state's names and shapes.
    """
    shapes = {name: value.shape for name, value in state["tensors"].items()}
    candidates = [before] if before is not None else list(model.modules())
    for each in candidates:
        own = {n: v.shape for n, v in each.state_dict().items() if isinstance(v, Tensor)}
        if own == shapes:
            found = each if before is not None else copy.deepcopy(each)
            found.load_state_dict(state["tensors"], strict=False)
            training, trained = set(state["training"]), set(state["trained"])
            for name, part in found.named_modules():
                part.training = name in training
            for name, parameter in found.named_parameters():
                parameter.requires_grad_(name in trained)
            return found
    return None


def load_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load parameters and buffers into a model, whose dynamic heads grow before.

    :param model: model with the architecture of the saved one.
    :param tensors: result of :func:`module_state`.
    :raises StateError: if the architectures differ; the message names the first difference.
    """
    grow_to(model, tensors)
    own = {n: v for n, v in model.state_dict().items() if isinstance(v, Tensor)}
    for name in sorted({*own, *tensors}):
        if name not in own or name not in tensors:
            which = "lacks" if name not in own else "has"
            raise StateError(
                f"`model` {which} {name!r}, unlike the saved one: make it with the same arguments."
            )
        if own[name].shape != tensors[name].shape:
            raise StateError(
                f"`model` has {name!r} of shape {tuple(own[name].shape)}, but the saved one has "
                f"{tuple(tensors[name].shape)}: make it with the same arguments."
            )
    model.load_state_dict(tensors, strict=False)


def grow_to(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give Avalanche's dynamic heads the shapes of saved tensors; values are undefined then.

    :param model: model; parts outside of dynamic modules do not change.
    :param tensors: saved tensors by name.
    """
    heads = {name: each for name, each in model.named_modules() if isinstance(each, DynamicModule)}
    for head_name, head in heads.items():
        prefix = f"{head_name}." if head_name else ""
        own = {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}
        if isinstance(head, MultiHeadClassifier):
            _add_heads(head, own)
        for name, value in own.items():
            _reshape(head, name, value)


def _add_heads(head: MultiHeadClassifier, tensors: Mapping[str, Tensor]) -> None:
    for name in tensors:
        kind, _, rest = name.partition(".")
        task = rest.partition(".")[0]
        if kind == "classifiers" and task not in head.classifiers:
            head.classifiers[task] = IncrementalClassifier(
                head.in_features, head.starting_out_features, masking=False, auto_adapt=False
            )
        if kind.startswith("active_units_T") and kind not in head._buffers:
            head.register_buffer(kind, torch.zeros_like(tensors[name]))


def _reshape(module: nn.Module, name: str, like: Tensor) -> None:
    path, _, last = name.rpartition(".")
    try:
        owner = module.get_submodule(path)
    except AttributeError:
        return  # the comparison of names says what is missing
    for kind in (owner._parameters, owner._buffers):
        value = kind.get(last)
        if value is not None and value.shape != like.shape:
            new = value.detach().new_zeros(like.shape)
            if isinstance(value, nn.Parameter):
                new = nn.Parameter(new, requires_grad=value.requires_grad)
            kind[last] = new  # type: ignore[assignment]
    if isinstance(owner, nn.Linear):
        owner.out_features, owner.in_features = owner.weight.shape
