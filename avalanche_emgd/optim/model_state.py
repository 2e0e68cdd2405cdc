"""What a model is made of and what its forward pass writes, as far as Python can see."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.modules.dropout import _DropoutNd

from .layer_rules import is_known, why_rule_fails
from .random_state import RandomState
from .running_statistics import RunningStatistics

__all__ = [
    "ForwardState",
    "has_hooks",
    "modules_of",
    "same_structure",
    "structure_of",
    "unfit_for_fusing",
]

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)
_OWN = frozenset(vars(nn.Module()))  # attributes that each module has
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
    if isinstance(a, _PLAIN):
        return bool(a == b)
    return isinstance(a, _CONTAINERS) and not (a or b)


def has_hooks(module: nn.Module) -> bool:
    """Whether hooks of the user's change what a module computes, or its gradients."""
    return any(vars(module).get(hooks) for hooks in _HOOKS)


def _is_hooked(parameter: Any) -> bool:
    return bool(parameter._backward_hooks or parameter._post_accumulate_grad_hooks)


def unfit_for_fusing(module: nn.Module) -> str | None:
    """Say why a model cannot be fused; ``None`` if nothing is known that speaks against it.

    Every trained parameter must belong to a layer that has a rule
    (:func:`~avalanche_emgd.optim.layer_rules.gradient_rule`), or to a batch norm, and that runs
    as its type says.
    Hooks of the user's, compiled or wrapped modules and random layers speak against it, too.

    :param module: the model, in the mode in which it is trained.
    """
    if torch_module._has_any_global_hook():
        return "there are global hooks on modules"
    for name, layer in module.named_modules():
        reason = _unfit(layer, f"{type(layer).__name__} ({name or 'the model'})")
        if reason is not None:
            return reason
    return None


def _unfit(layer: nn.Module, called: str) -> str | None:
    if isinstance(layer, torch.jit.ScriptModule | torch._dynamo.OptimizedModule) or (
        vars(layer).get("_compiled_call_impl") is not None
    ):
        return f"{called} is compiled"
    if isinstance(layer, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return f"{called} distributes samples"
    if has_hooks(layer):
        return f"{called} has hooks"
    own = [p for p in layer._parameters.values() if p is not None and p.requires_grad]
    if any(_is_hooked(parameter) for parameter in own):
        return f"a parameter of {called} has hooks"
    if own and not is_known(layer):
        return f"there is no gradient rule for {called}"
    if own:
        fault = why_rule_fails(layer)
        if fault is not None:
            return f"{called} {fault}"
    if isinstance(layer, _DropoutNd) and layer.training and layer.p > 0.0:
        return f"{called} is random"
    return None


class ForwardState:
    """State that a forward pass may write: random numbers, tensors and attributes of modules.

    :param module: before the pass.
    :param structure: its :func:`structure_of`.
    :param thorough: look into lists, dictionaries and sets that modules hold, too, and at
        generators of Python and NumPy.
    """

    def __init__(self, module: nn.Module, structure: list[Any], *, thorough: bool = False) -> None:
        self._module, self._structure = module, structure
        self._modules = [each for each in structure if isinstance(each, nn.Module)]
        tensors = [each for each in structure if isinstance(each, Tensor)]
        self._tensors = [each for each in tensors if not each.is_inference()]
        self._containers = _containers_of(self._modules) if thorough else []
        self._random = RandomState(self._tensors, structure, thorough=thorough)
        self.statistics = RunningStatistics(self._modules)
        """What batch norms may write."""
        self.save()

    def save(self) -> None:
        """Take down the state before another pass of the same structure."""
        self._attributes = [dict(vars(each)) for each in self._modules]
        self._versions = [each._version for each in self._tensors]
        self._copies = [
            None if isinstance(each, nn.Parameter) else each.detach().clone()
            for each in self._tensors
        ]
        self._contents = [_contents_of(each) for each in self._containers]
        self._random.save()

    def written(self) -> str | None:
        """Say what a pass has written since; ``None`` if nothing but statistics of batch norm."""
        if self._random.has_changed():
            return "its forward pass draws random numbers"
        for tensor, version, copy in zip(self._tensors, self._versions, self._copies, strict=True):
            # Batch norm writes to its statistics without counting up their versions, but for the
            # number of batches.
            if id(tensor) in self.statistics.numbers:
                if tensor._version != version and tensor.is_floating_point():
                    return "its forward pass writes to running statistics"
            elif tensor._version != version or not (copy is None or torch.equal(tensor, copy)):
                kind = "parameter" if copy is None else "buffer"
                return f"its forward pass writes to a {kind}"
        if not same_structure(structure_of(self._module), self._structure):
            return "its forward pass sets attributes of modules"
        return None

    def filled(self) -> str | None:
        """Say whether a pass has written into a list or dictionary since; ``None`` if not."""
        now = [_contents_of(each) for each in self._containers]
        if all(map(same_structure, now, self._contents)):
            return None
        return "its forward pass writes to a list, a dictionary or a set of a module"

    def restore(self) -> None:
        """Bring back random states, values of buffers, attributes and contents."""
        for container, contents in zip(self._containers, self._contents, strict=True):
            if not same_structure(_contents_of(container), contents):
                _fill(container, contents)
        for module, attributes in zip(self._modules, self._attributes, strict=True):
            vars(module).clear()
            vars(module).update(attributes)
        self._random.restore()
        for tensor, copy in zip(self._tensors, self._copies, strict=True):
            # Graphs may have saved a buffer, which must not seem modified.
            if copy is not None and not torch.equal(tensor, copy):
                tensor.data.copy_(copy)


def _containers_of(modules: Iterable[nn.Module]) -> list[Any]:
    """Collect the lists, dictionaries and sets that a user's modules hold."""
    return [
        each
        for module in modules
        for name, each in vars(module).items()
        if isinstance(each, list | dict | set | deque) and name not in _OWN
    ]


def _contents_of(container: Any) -> list[Any]:
    """Items of a list, a set or a dictionary, in the last case each after its key."""
    if isinstance(container, dict):
        return [part for item in container.items() for part in item]
    return list(container)


def _fill(container: Any, contents: list[Any]) -> None:
    container.clear()
    if isinstance(container, list | deque):
        container.extend(contents)
    else:
        is_dict = isinstance(container, dict)
        container.update(zip(contents[::2], contents[1::2], strict=True) if is_dict else contents)
