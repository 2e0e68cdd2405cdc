"""States of the random number generators that a forward pass may draw from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["RandomState"]


class RandomState:
    """States of generators: PyTorch's own, those that modules hold, and Python's and NumPy's.

    :param tensors: tensors of the model, the first on its device.
    :param attributes: attributes of modules, some of which may be generators.
    :param thorough: whether to include generators of Python and NumPy, whose states are large.
    """

    def __init__(
        self, tensors: Sequence[Tensor], attributes: Sequence[Any], *, thorough: bool
    ) -> None:
        own = [each for each in attributes if isinstance(each, torch.Generator)]
        self._generators = [*_default_generators(tensors), *own]
        self._others: list[Any] = []
        if thorough:
            kinds = (random.Random, np.random.RandomState, np.random.Generator)
            self._others = [random, np.random]
            self._others += [
                each
                for each in attributes
                if isinstance(each, kinds) and not isinstance(each, random.SystemRandom)
            ]

    def save(self) -> None:
        """Take down the states."""
        self._states = [each.get_state() for each in self._generators]
        self._other_states = [_state_of(each) for each in self._others]

    def has_changed(self) -> bool:
        """Whether a number has been drawn since."""
        return bool(self._changed())

    def have_shared_changed(self) -> bool:
        """Whether numbers have been drawn since from the generators that all threads share.

        These are the ones of the modules ``random`` and ``numpy.random``, and no others.
        """
        changed = self._changed()
        return bool(changed) and all(each is random or each is np.random for each in changed)

    def _changed(self) -> list[Any]:
        """Return the generators from which numbers have been drawn since."""
        return [
            each
            for each, state in zip(self._generators, self._states, strict=True)
            if not torch.equal(each.get_state(), state)
        ] + [
            each
            for each, state in zip(self._others, self._other_states, strict=True)
            if not _is_same(_state_of(each), state)
        ]

    def restore(self) -> None:
        """Bring back the states."""
        for generator, state in zip(self._generators, self._states, strict=True):
            generator.set_state(state)
        for other, state in zip(self._others, self._other_states, strict=True):
            if isinstance(other, np.random.Generator):
                other.bit_generator.state = state
            elif hasattr(other, "setstate"):
                other.setstate(state)
            else:
                other.set_state(state)


def _state_of(source: Any) -> Any:
    """State of a generator: a tuple of Python's, a dictionary with arrays of NumPy's."""
    if isinstance(source, np.random.Generator):
        return source.bit_generator.state
    return source.getstate() if hasattr(source, "getstate") else source.get_state(legacy=False)


def _is_same(found: Any, before: Any) -> bool:
    """Whether two states are equal."""
    if isinstance(found, dict):
        return all(_is_same(found[name], before[name]) for name in before)
    if isinstance(found, np.ndarray):
        return np.array_equal(found, before)
    return bool(found == before)


def _default_generators(tensors: Sequence[Tensor]) -> list[torch.Generator]:
    """Those of the CPU and of the device of the first tensor."""
    found = [torch.default_generator]
    device = tensors[0].device if tensors else torch.device("cpu")
    if device.type == "cuda":
        found.append(torch.cuda.default_generators[device.index or 0])
    elif device.type == "mps":
        found.append(torch.mps._get_default_mps_generator())
    return found
