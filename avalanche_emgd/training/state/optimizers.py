"""States of optimizers by the names of parameters, which survive heads that have grown."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ..._text_files import excerpt
from .errors import StateError
from .settings import check_settings, described

__all__ = ["load_optimizer", "optimizer_state"]


def optimizer_state(optimizer: Optimizer, model: nn.Module) -> dict[str, Any]:
    """Return the state of an optimizer.

    :param optimizer: optimizer of the model's parameters, and perhaps of others.
    :param model: model whose names of parameters are used.
    :return: ``state``, as ``optimizer.state_dict()`` gives it, and ``names``: for each group those
        of its parameters, ``None`` for a parameter outside of the model. ``outside`` has the values
        of the latter.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    return {
        "class": type(optimizer).__name__,
        "arguments": _arguments(optimizer),
        "outside": [each.detach().clone() for each in trained if id(each) not in names],
        "state": copy.deepcopy(optimizer.state_dict()),
        "names": [[names.get(id(p)) for p in group["params"]] for group in optimizer.param_groups],
    }


def load_optimizer(optimizer: Optimizer, model: nn.Module, state: Mapping[str, Any]) -> None:
    """Restore the state of :func:`optimizer_state`.

    :param optimizer: optimizer of the same kind and with as many groups as the saved one.
    :param model: model with parameters of the saved names and shapes.
    :raises StateError: if the kind, its arguments, groups or parameters differ. Values of groups
        are not compared, because schedulers change them.
    """
    parameters, groups = dict(model.named_parameters()), optimizer.param_groups
    kind = state.get("class")  # which the first states did not have
    if kind is not None and kind != type(optimizer).__name__:
        raise StateError(
            f"`optimizer` is {type(optimizer).__name__}, but {excerpt(kind)} in the saved strategy:"
            " make it with the same arguments."
        )
    check_settings(state.get("arguments", {}), _arguments(optimizer))
    if len(groups) != len(state["names"]):
        raise StateError(
            f"`optimizer` has {len(groups)} groups of parameters, but the saved one has "
            f"{len(state['names'])}: make it with the same arguments."
        )
    outside = []
    for group, names in zip(groups, state["names"], strict=True):
        own = list(group["params"])
        if None in names and len(own) != len(names):
            raise StateError(
                f"`optimizer` has a group of {len(own)} parameters, but the saved one has "
                f"{len(names)}: make it with the same arguments."
            )
        # A parameter outside of the model keeps its place in the group.
        outside += [own[place] for place, name in enumerate(names) if name is None]
        group["params"] = [
            own[place] if name is None else parameters[name] for place, name in enumerate(names)
        ]
    for parameter, value in zip(outside, state.get("outside", []), strict=False):
        if parameter.shape != value.shape:
            raise StateError(
                f"`optimizer` has a parameter of shape {tuple(parameter.shape)}, but the saved one "
                f"has {tuple(value.shape)}: make it with the same arguments."
            )
        with torch.no_grad():
            parameter.copy_(value)
    optimizer.load_state_dict(copy.deepcopy(dict(state["state"])))


def _arguments(optimizer: Optimizer) -> dict[str, str]:
    """Describe the arguments of an optimizer, such as ``lr``, as they were given."""
    plain = (bool, int, float, str, tuple, type(None))
    return {
        f"optimizer.{name}": described(value)
        for name, value in optimizer.defaults.items()
        if isinstance(value, plain)
    }
