"""State that a forward pass may write."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .model_structure import same_structure, structure_of
from .random_state import RandomState
from .running_statistics import RunningStatistics

__all__ = ["ForwardState"]

Result = TypeVar("Result")

_MOST_PASSES = 4  # until draws from generators that all threads share are those of the pass

_OWN = frozenset(vars(nn.Module()))  # attributes that each module has


class ForwardState:
    """State that a forward pass may write: random numbers, tensors and attributes of modules.

    :param module: model before the pass.
    :param structure: result of :func:`structure_of` for the model.
    :param thorough: whether to look into lists, dictionaries and sets of modules, and at generators
        of Python and NumPy, too.
    """

    def __init__(self, module: nn.Module, structure: list[Any], *, thorough: bool = False) -> None:
        self._module, self.structure = module, structure
        self._modules = [each for each in structure if isinstance(each, nn.Module)]
        tensors = [each for each in structure if isinstance(each, Tensor)]
        self._tensors = [
            each for each in tensors if each.layout is torch.strided and not each.is_inference()
        ]
        self._containers = _containers_of(self._modules) if thorough else []
        self._random = RandomState(self._tensors, structure, thorough=thorough)
        self.statistics = RunningStatistics(self._modules)
        """Buffers that batch norms may write."""
        self.save()

    def save(self) -> None:
        """Save the state before another pass of the same structure."""
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
        if not same_structure(structure_of(self._module), self.structure):
            return "its forward pass sets attributes of modules"
        return None

    def undisturbed(self, forward: Callable[[], Result]) -> tuple[Result, str | None]:
        """Make a pass; make it again from the same state if its draws may be another thread's.

        The threads of Dask and of a user's data draw from the generators of Python and NumPy, too.
        A pass that draws does so again, and other threads rarely do.

        :param forward: function that makes a pass.
        :return: last pass, and what :meth:`written` says of it.
        """
        for left in reversed(range(_MOST_PASSES)):
            found, fault = forward(), self.written()
            if fault is None or not left or not self._random.have_shared_changed():
                break
            self.restore()
        return found, fault

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
