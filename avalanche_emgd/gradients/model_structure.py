"""Everything that decides what a model computes, as far as Python can see."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_module

__all__ = ["modules_of", "same_structure", "structure_of"]

# Values that stay what they are although they are other objects after copying or pickling.
_CONTAINERS = (dict, list, set)
_PLAIN = (bool, int, float, str, type(None), tuple)


def modules_of(module: nn.Module) -> list[nn.Module]:
    """All modules, each once, in half of the time of ``modules()``, which makes up names."""
    found, seen = [module], {module}
    for each in found:
        for child in each._modules.values():
            if child is not None and child not in seen:
                seen.add(child)
                found.append(child)
    return found


def structure_of(module: nn.Module) -> list[Any]:
    """Everything that decides what a forward pass computes, apart from numbers in tensors.

    Modules, their attributes, parameters, buffers and whether any have hooks; modes of PyTorch that
    change what functions do. To be compared with :func:`same_structure`. Changes inside of a list
    or a dictionary of the user's do not show.
    """
    found: list[Any] = [torch_module._has_any_global_hook(), _modes(), _saving_hooks()]
    for each in modules_of(module):  # in every tick: no helper functions, no generators
        own = each.__dict__
        found.append(each)
        if "_buffers" not in own:  # a traced module, all of whose state is elsewhere
            continue
        found += own.values()
        found.append(
            not (
                own["_forward_hooks"]
                or own["_forward_pre_hooks"]
                or own["_backward_hooks"]
                or own["_backward_pre_hooks"]
            )
        )
        found += own["_buffers"].values()
        for parameter in own["_parameters"].values():
            found.append(parameter)
            if parameter is not None:
                found.append(parameter.requires_grad)
                found.append(
                    not (parameter._backward_hooks or parameter._post_accumulate_grad_hooks)
                )
    return found


def _modes() -> tuple[type, ...]:
    """Types of the active modes, which see each function or each operation."""
    c = torch._C
    functions = c._len_torch_function_stack()
    operations = c._len_torch_dispatch_stack()
    if not (functions or operations):
        return ()
    modes = [c._get_function_stack_at(k) for k in range(functions)]
    return tuple(map(type, [*modes, *map(c._get_dispatch_stack_at, range(operations))]))


def _saving_hooks() -> tuple[Any, ...]:
    """Code of the innermost hooks on tensors that graphs save."""
    hooks = torch._C._autograd._top_saved_tensors_default_hooks(False)
    return () if hooks is None else tuple(getattr(each, "__code__", type(each)) for each in hooks)


def same_structure(found: list[Any], before: list[Any]) -> bool:
    """Whether nothing has changed between two :func:`structure_of`."""
    if len(found) != len(before):
        return False
    if all(map(operator.is_, found, before)):
        return True
    return all(
        a is b or (type(a) is type(b) and _is_equal(a, b))
        for a, b in zip(found, before, strict=True)
    )


def _is_equal(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):  # perhaps with tensors, which `==` compares one by one
        return len(a) == len(b) and all(
            x is y or (type(x) is type(y) and _is_equal(x, y)) for x, y in zip(a, b, strict=True)
        )
    if isinstance(a, _PLAIN):
        return bool(a == b)
    return isinstance(a, _CONTAINERS) and not (a or b)
