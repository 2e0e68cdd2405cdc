"""Meters of memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["PeakBytes", "most_saved"]


class PeakBytes(TorchDispatchMode):
    """Most bytes of live tensors at one time, of those made within the context."""

    def __init__(self) -> None:
        super().__init__()
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        inputs = {id_of(t) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor) and id_of(leaf) not in inputs:
                storage = leaf.untyped_storage()
                self._alive[id_of(leaf)] = (StorageWeakRef(storage), storage.nbytes())
        self._alive = {k: each for k, each in self._alive.items() if not each[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))
        return found


def most_saved(work: Callable[[], Any]) -> int:
    """Most bytes that graphs have kept for their backward passes at one time."""
    alive: weakref.WeakSet[_Saved] = weakref.WeakSet()
    most = 0

    def pack(tensor: Tensor) -> _Saved:
        nonlocal most
        saved = _Saved(tensor)
        alive.add(saved)
        most = max(most, sum(each.tensor.nbytes for each in alive))
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved.tensor):
        work()
    return most


class _Saved:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def id_of(tensor: Tensor) -> int:
    """Identity of the memory of a tensor."""
    return tensor.untyped_storage()._cdata
