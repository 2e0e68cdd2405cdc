"""Attributes of objects as plain values: tensors, numbers, text, lists, tuples and dictionaries.

``torch.load(..., weights_only=True)`` loads these. A dictionary with the key :data:`KIND` stands
for a value of another type, which the key names.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.storage_policy import ExemplarsBuffer
from torch import Tensor, nn

from ...benchmarks.live import LiveStream
from .errors import StateError
from .models import module_state

__all__ = ["ABSENT", "KEPT", "KIND", "KnownObjects", "Writer", "has_state"]

ABSENT: Any = object()
"""In place of a value that is not part of a state, such as a function."""

KIND = "__kind__"
"""Key of the type of a value that is not plain by itself."""

_LIBRARIES = ("avalanche.", "avalanche_emgd.", "torchjd.")
_NOT_WALKED = ("avalanche.benchmarks", "avalanche.logging", "avalanche_emgd.benchmarks")
_OF_MODULES = frozenset(vars(nn.Module()))
KEPT = "kept"
"""Kind of an entry that a dictionary of the fresh object keeps."""
_DEPTH = 12  # of objects within objects


class KnownObjects:
    """Objects that are told apart by identity.

    They are held, because Python uses the identity of an object that is gone for another one.

    :param objects: objects to begin with.
    """

    def __init__(self, objects: Iterable[Any] = ()) -> None:
        self._objects = {id(each): each for each in objects}

    def __contains__(self, thing: object) -> bool:
        return id(thing) in self._objects

    def add(self, thing: object) -> None:
        """Add an object."""
        self._objects[id(thing)] = thing

    def copy(self) -> KnownObjects:
        """Return other known objects, with the same ones to begin with."""
        return KnownObjects(self._objects.values())


def has_state(thing: Any) -> bool:
    """Whether an object saves and loads its state itself, as PyTorch's do."""
    return hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict")


class Writer:
    """Conversion of attributes into plain values, which copies tensors.

    :param known: objects that have their own place in the state.
    :param where: words for the owner of the attributes, for messages.
    """

    def __init__(self, known: KnownObjects, where: str) -> None:
        self._known = known
        self._where = where

    def attributes(self, thing: Any, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return the plain attributes of an object by name.

        :param thing: object with a ``__dict__``.
        :param without: names to leave out.
        :raises StateError: if the object holds a data set.
        """
        self._known.add(thing)
        if isinstance(thing, nn.Module):
            without = without | _OF_MODULES
        found = {}
        for name, value in vars(thing).items():
            if name not in without:
                plain = self.value(value, f"{self._where}.{name}", 0)
                if plain is not ABSENT:
                    found[name] = plain
        return found

    def value(self, value: Any, name: str, depth: int) -> Any:
        """Convert a value; ``ABSENT`` for what is no part of a state."""
        if value is None or isinstance(value, bool | int | float | str):
            return value if type(value) in _PLAIN else _plain_number(value)
        if isinstance(value, Tensor):
            # One of the model or the optimizer has its own place; references to it stay.
            return ABSENT if value in self._known else self._tensor(value)
        if isinstance(value, bytes):
            return {KIND: "bytes", "value": list(value)}
        if isinstance(value, complex):
            return {KIND: "complex", "value": [value.real, value.imag]}
        if isinstance(value, torch.dtype | torch.device):
            return {KIND: type(value).__name__, "value": str(value)}
        if isinstance(value, np.generic):
            return self.value(value.item(), name, depth)
        if isinstance(value, np.ndarray):
            return _array(value)
        if isinstance(value, _GENERATORS):
            return {KIND: "generator", "value": self._generator(value, name)}
        if isinstance(value, AvalancheDataset | ExemplarsBuffer) and value not in self._known:
            raise StateError(
                f"`{name}` holds samples of a data set, which a state cannot hold: use the "
                "strategy's own `memory_size` in place of this plugin."
            )
        if value in self._known or depth > _DEPTH or isinstance(value, LiveStream):
            return ABSENT  # a live stream has its own state, in that of its loader
        if isinstance(value, Mapping):
            return self._mapping(value, name, depth)
        if isinstance(value, list | tuple | set | frozenset | deque):
            # The order of a set is another one in each process.
            members = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
            items = [self.value(each, name, depth + 1) for each in members]
            if any(each is ABSENT for each in items):
                return ABSENT
            if type(value) is list or type(value) is tuple:
                return items if isinstance(value, list) else tuple(items)
            kinds = (torch.Size, deque, set, frozenset)
            kind = next((each for each in kinds if type(value) is each), None)
            return ABSENT if kind is None else {KIND: kind.__name__, "value": items}
        return self._object(value, name, depth)

    @staticmethod
    def _tensor(value: Tensor) -> Any:
        copy = value.detach().clone()
        return copy if copy.device.type == "cpu" else {KIND: "on device", "value": copy}

    def _mapping(self, value: Mapping[Any, Any], name: str, depth: int) -> Any:
        items = []
        for key, each in value.items():
            plain = (self.value(key, name, depth + 1), self.value(each, name, depth + 1))
            if plain[0] is not ABSENT:
                items.append(plain)
        if value and all(each is ABSENT for _, each in items):
            return ABSENT
        kept = {KIND: KEPT, "value": None}
        items = [(key, kept if each is ABSENT else each) for key, each in items]
        return {KIND: "dict", "value": items}

    def _generator(self, value: Any, name: str) -> Any:
        if isinstance(value, torch.Generator):
            return value.get_state()
        if isinstance(value, random.Random):
            return self.value(value.getstate(), name, 0)
        if isinstance(value, np.random.Generator):
            return self.value(value.bit_generator.state, name, 0)
        return self.value(value.get_state(legacy=False), name, 0)

    def _object(self, value: Any, name: str, depth: int) -> Any:
        self._known.add(value)
        if isinstance(value, nn.Module):
            if type(value).__module__.startswith("torchjd."):
                state = self.value(value.state_dict(), name, depth + 1)
                own = Writer(self._known, name).attributes(value)
                return {KIND: "weighting", "value": state, "attributes": own}
            return {KIND: "module", "value": module_state(value)}
        if has_state(value):
            return {KIND: "state", "value": self.value(value.state_dict(), name, depth + 1)}
        module = type(value).__module__ + "."
        if not module.startswith(_LIBRARIES) or module.startswith(_NOT_WALKED):
            return ABSENT
        if not hasattr(value, "__dict__") or isinstance(value, type):
            return ABSENT
        plain = {
            key: self.value(each, f"{name}.{key}", depth + 1) for key, each in vars(value).items()
        }
        plain = {key: each for key, each in plain.items() if each is not ABSENT}
        return {KIND: "object", "class": type(value).__name__, "value": plain}


_PLAIN = (type(None), bool, int, float, str)
_GENERATORS = (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)


def _plain_number(value: Any) -> Any:
    """Convert an instance of a subclass of a plain type, such as ``numpy.float64``."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _array(value: np.ndarray) -> Any:
    if value.dtype.kind not in "biuf":
        return ABSENT
    kind = {"u": np.int64, "i": np.int64, "f": np.float64, "b": np.bool_}[value.dtype.kind]
    return {
        KIND: "array",
        "value": torch.from_numpy(value.astype(kind)),
        "dtype": value.dtype.str,
    }
