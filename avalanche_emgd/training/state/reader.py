"""Restoration of attributes from plain values.

Values are put into an existing object. A name from a file creates no object, apart from the few
classes of :data:`_MAKERS`.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from avalanche.training.plugins.ewc import ParamData
from torch import Tensor, nn

from ..._text_files import excerpt
from .errors import StateError
from .models import load_like
from .writer import KEPT, KIND

__all__ = ["Reader"]


def _param_data() -> ParamData:
    return ParamData("", shape=(0,))


_MAKERS: Mapping[str, Callable[[], Any]] = {"ParamData": _param_data}
"""Functions that make objects which the fresh object does not have yet, by their class."""


class Reader:
    """Restoration of what a :class:`~avalanche_emgd.training.state.writer.Writer` has converted.

    :param model: model of the strategy. Modules that the object does not have yet begin as copies
        of the model, or of one of its parts.
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
        kind, value = plain.get(KIND), plain.get("value")
        make = getattr(self, f"_{str(kind).replace(' ', '_')}", None)
        if make is None:
            raise StateError(f"`{name}` of the state is of the unknown kind {excerpt(kind)}.")
        return make(value, before, name, plain)

    def _bytes(self, value: Any, before: Any, name: str, plain: Any) -> bytes:
        return bytes(value)

    def _complex(self, value: Any, before: Any, name: str, plain: Any) -> complex:
        return complex(*value)

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
            if isinstance(each, dict) and each.get(KIND) == KEPT:
                if key in known:
                    into[key] = known[key]
                continue
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
