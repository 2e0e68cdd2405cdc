"""Attributes of objects as plain values: tensors, numbers, text, lists, tuples and dictionaries.

``torch.load(..., weights_only=True)`` loads these. Restoring puts values into an existing object
and never creates one by a name from a file, apart from the few classes of :data:`_MAKERS`.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.plugins.ewc import ParamData
from avalanche.training.storage_policy import ExemplarsBuffer
from torch import Tensor, nn

from ...benchmarks.live import LiveStream
from .errors import StateError
from .models import load_like, module_state

__all__ = ["ABSENT", "Reader", "Writer"]

ABSENT: Any = object()
"""In place of a value that is not part of a state, such as a function."""

_KIND = "__kind__"
_LIBRARIES = ("avalanche.", "avalanche_emgd.", "torchjd.")
_NOT_WALKED = ("avalanche.benchmarks", "avalanche.logging", "avalanche_emgd.benchmarks")
_OF_MODULES = frozenset(vars(nn.Module()))
_DEPTH = 12  # of objects within objects


def _param_data() -> ParamData:
    return ParamData("", shape=(0,))


_MAKERS: Mapping[str, Callable[[], Any]] = {"ParamData": _param_data}
"""Functions that make objects which the fresh object does not have yet, by their class."""


class Writer:
    """Conversion of attributes into plain values, which copies tensors.

    :param known: objects that have their own place in the state.
    :param where: words for the owner of the attributes, for messages.
    """

    def __init__(self, known: set[int], where: str) -> None:
        self._known = known
        self._where = where

    def attributes(self, thing: Any, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return the plain attributes of an object by name.

        :param thing: object with a ``__dict__``.
        :param without: names to leave out.
        :raises StateError: if the object holds a data set.
        """
        self._known.add(id(thing))
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
            return self._tensor(value)
        if isinstance(value, torch.dtype | torch.device):
            return {_KIND: type(value).__name__, "value": str(value)}
        if isinstance(value, np.generic):
            return self.value(value.item(), name, depth)
        if isinstance(value, np.ndarray):
            return _array(value)
        if isinstance(value, _GENERATORS):
            return {_KIND: "generator", "value": self._generator(value, name)}
        if isinstance(value, AvalancheDataset | ExemplarsBuffer) and id(value) not in self._known:
            raise StateError(
                f"`{name}` holds samples of a data set, which a state cannot hold: use the "
                "strategy's own `memory_size` in place of this plugin."
            )
        if id(value) in self._known or depth > _DEPTH or isinstance(value, LiveStream):
            return ABSENT  # a live stream has its own state, in that of its loader
        if isinstance(value, Mapping):
            return self._mapping(value, name, depth)
        if isinstance(value, list | tuple | set | frozenset | deque):
            items = [self.value(each, name, depth + 1) for each in value]
            if any(each is ABSENT for each in items):
                return ABSENT
            if type(value) is list or type(value) is tuple:
                return items if isinstance(value, list) else tuple(items)
            kinds = (torch.Size, deque, set, frozenset)
            kind = next((each for each in kinds if type(value) is each), None)
            return ABSENT if kind is None else {_KIND: kind.__name__, "value": items}
        return self._object(value, name, depth)

    @staticmethod
    def _tensor(value: Tensor) -> Any:
        copy = value.detach().clone()
        return copy if copy.device.type == "cpu" else {_KIND: "on device", "value": copy}

    def _mapping(self, value: Mapping[Any, Any], name: str, depth: int) -> Any:
        items = []
        for key, each in value.items():
            plain = (self.value(key, name, depth + 1), self.value(each, name, depth + 1))
            if not any(part is ABSENT for part in plain):
                items.append(plain)
        if value and not items:
            return ABSENT
        return {_KIND: "dict", "value": items}

    def _generator(self, value: Any, name: str) -> Any:
        if isinstance(value, torch.Generator):
            return value.get_state()
        if isinstance(value, random.Random):
            return self.value(value.getstate(), name, 0)
        if isinstance(value, np.random.Generator):
            return self.value(value.bit_generator.state, name, 0)
        return self.value(value.get_state(legacy=False), name, 0)

    def _object(self, value: Any, name: str, depth: int) -> Any:
        self._known.add(id(value))
        if isinstance(value, nn.Module):
            if type(value).__module__.startswith("torchjd."):
                state = self.value(value.state_dict(), name, depth + 1)
                own = Writer(self._known, name).attributes(value)
                return {_KIND: "weighting", "value": state, "attributes": own}
            return {_KIND: "module", "value": module_state(value)}
        if hasattr(value, "state_dict") and hasattr(value, "load_state_dict"):
            return {_KIND: "state", "value": self.value(value.state_dict(), name, depth + 1)}
        module = type(value).__module__ + "."
        if not module.startswith(_LIBRARIES) or module.startswith(_NOT_WALKED):
            return ABSENT
        if not hasattr(value, "__dict__") or isinstance(value, type):
            return ABSENT
        plain = {
            key: self.value(each, f"{name}.{key}", depth + 1) for key, each in vars(value).items()
        }
        plain = {key: each for key, each in plain.items() if each is not ABSENT}
        return {_KIND: "object", "class": type(value).__name__, "value": plain}


class Reader:
    """Restoration of what a :class:`Writer` has converted.

    :param model: model of the strategy; modules that the object does not have yet begin as copies
        of it, or of a part of it.
    :param device: device of tensors that were not on the CPU.
    :param where: words for the owner of the attributes, for messages.
    """

    def __init__(self, model: nn.Module, device: torch.device, where: str) -> None:
        self._model, self._place, self._where = model, device, where

    def attributes(self, thing: Any, state: Mapping[str, Any]) -> None:
        """Restore attributes of an object.

        :param thing: object.
        :param state: result of :meth:`Writer.attributes`.
        :raises StateError: if a value cannot be restored.
        """
        for name, plain in state.items():
            before = vars(thing).get(name)
            vars(thing)[name] = self.value(plain, before, f"{self._where}.{name}")

    def value(self, plain: Any, before: Any, name: str) -> Any:
        """Return the value to restore; containers and objects that exist are changed in place.

        :param plain: converted value.
        :param before: value of the fresh object.
        :param name: words for messages.
        """
        if isinstance(plain, Tensor):
            return plain.clone()
        if isinstance(plain, list):
            items = [self.value(each, None, name) for each in plain]
            if type(before) is list:
                before[:] = items
                return before
            return items
        if type(plain) is tuple:
            return tuple(self.value(each, None, name) for each in plain)
        if not isinstance(plain, dict):
            return plain
        kind, value = plain.get(_KIND), plain.get("value")
        make = getattr(self, f"_{str(kind).replace(' ', '_')}", None)
        if make is None:
            raise StateError(f"`{name}` of the state is of the unknown kind {kind!r}.")
        return make(value, before, name, plain)

    def _dtype(self, value: Any, before: Any, name: str, plain: Any) -> torch.dtype:
        found = getattr(torch, str(value).removeprefix("torch."), None)
        if not isinstance(found, torch.dtype):
            raise StateError(f"`{name}` of the state has the unknown dtype {value!r}.")
        return found

    def _device(self, value: Any, before: Any, name: str, plain: Any) -> torch.device:
        return torch.device("cpu") if value == "cpu" else self._place

    def _on_device(self, value: Any, before: Any, name: str, plain: Any) -> Tensor:
        return value.clone().to(self._place)

    def _array(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        return value.numpy().astype(np.dtype(plain["dtype"]))

    def _set(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        return {self.value(each, None, name) for each in value}

    def _frozenset(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        return frozenset(self._set(value, before, name, plain))

    def _Size(self, value: Any, before: Any, name: str, plain: Any) -> torch.Size:  # noqa: N802
        return torch.Size(value)

    def _deque(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        items = [self.value(each, None, name) for each in value]
        return deque(items, maxlen=before.maxlen if isinstance(before, deque) else None)

    def _dict(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        into = before if isinstance(before, dict) else {}
        known = dict(into)
        into.clear()
        for key, each in value:
            key = self.value(key, None, name)
            former = known.get(key)
            if former is None and isinstance(before, defaultdict) and isinstance(each, dict):
                former = before.default_factory() if before.default_factory else None
            into[key] = self.value(each, former, f"{name}[{key!r}]")
        return into

    def _generator(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        if isinstance(value, Tensor):
            generator = before if isinstance(before, torch.Generator) else torch.Generator()
            generator.set_state(value.cpu())
            return generator
        state = self.value(value, None, name)
        if isinstance(before, random.Random):
            before.setstate(state)
        elif isinstance(before, np.random.Generator):
            before.bit_generator.state = state
        elif isinstance(before, np.random.RandomState):
            before.set_state(state)
        else:
            raise self._missing(name)
        return before

    def _module(self, value: Any, before: Any, name: str, plain: Any) -> nn.Module:
        found = load_like(value, before if isinstance(before, nn.Module) else None, self._model)
        if found is None:
            raise self._missing(name)
        return found

    def _weighting(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        if not isinstance(before, nn.Module):
            raise self._missing(name)
        Reader(self._model, self._place, name).attributes(before, plain["attributes"])
        return before

    def _state(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        if not hasattr(before, "load_state_dict"):
            raise self._missing(name)
        before.load_state_dict(self.value(value, None, name))
        return before

    def _object(self, value: Any, before: Any, name: str, plain: Any) -> Any:
        if before is None and plain["class"] in _MAKERS:
            before = _MAKERS[plain["class"]]()
        if type(before).__name__ != plain["class"]:
            raise self._missing(name)
        for key, each in value.items():
            vars(before)[key] = self.value(each, vars(before).get(key), f"{name}.{key}")
        return before

    @staticmethod
    def _missing(name: str) -> StateError:
        return StateError(
            f"`{name}` of the state cannot be restored, because the strategy that loads it has no "
            "such object: make the strategy with the same arguments as the saved one."
        )


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
        _KIND: "array",
        "value": torch.from_numpy(value.astype(kind)),
        "dtype": value.dtype.str,
    }
