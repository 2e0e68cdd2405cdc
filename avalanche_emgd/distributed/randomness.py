"""Random numbers of forward passes, drawn apart from those that all processes share."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from .processes import Processes

__all__ = ["OwnRandomness", "share_random_states"]


class OwnRandomness:
    """Random numbers of the forward passes of one process.

    Processes forward different samples, and so draw different numbers of random numbers. Within the
    context these come from a seed that follows from the shared seed, the rank and the number of
    passes so far. Outside of the context the generators of all processes stay in one state, so that
    shuffles and draws from memory are the same everywhere.

    :param rank: number of the process.
    :param device: device of the model.
    """

    def __init__(self, rank: int, device: torch.device) -> None:
        self._rank = rank
        self._generators = _generators(device)
        self.passes = 0
        """Number of passes so far, the same on all processes."""

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """Context in which random numbers are the process's own."""
        common = [each.get_state() for each in self._generators]
        words = f"{self._generators[0].initial_seed()} {self._rank} {self.passes}"
        seed = int.from_bytes(hashlib.sha256(words.encode()).digest()[:7], "big")
        for each in self._generators:
            each.manual_seed(seed)
        self.passes += 1
        try:
            yield
        finally:
            for each, state in zip(self._generators, common, strict=True):
                each.set_state(state)

    def __getstate__(self) -> dict[str, object]:
        device = str(self._generators[-1].device)
        return {"rank": self._rank, "device": device, "passes": self.passes}

    def __setstate__(self, state: dict[str, object]) -> None:
        self._rank = int(str(state["rank"]))
        self._generators = _generators(torch.device(str(state["device"])))
        self.passes = int(str(state["passes"]))


def share_random_states(processes: Processes) -> None:
    """Give the random states of process 0 to all: of PyTorch, of NumPy and of Python.

    :param processes: processes; the states of process 0 do not change.
    """
    if processes.size == 1:
        return
    device = processes.device
    for generator in _generators(device):
        received = generator.get_state().to(device)
        processes.broadcast(received)
        if not processes.is_first:
            generator.set_state(received.cpu())
    kind, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002
    numbers = torch.tensor([*map(int, keys), int(place), int(has_gauss)], device=device)
    value = torch.tensor([float(gauss)], dtype=torch.float64, device=device)
    version, internal, following = random.getstate()
    own = torch.tensor([*internal, int(following is not None)], device=device)
    value_of_own = torch.tensor([following or 0.0], dtype=torch.float64, device=device)
    for each in (numbers, value, own, value_of_own):
        processes.broadcast(each)
    if processes.is_first:
        return
    *received_keys, place, has_gauss = numbers.tolist()
    state = (kind, np.array(received_keys, np.uint32), place, has_gauss, float(value))
    np.random.set_state(state)  # noqa: NPY002
    *internal, has_next = own.tolist()
    random.setstate((version, tuple(internal), float(value_of_own) if has_next else None))


def _generators(device: torch.device) -> list[torch.Generator]:
    """Return PyTorch's generators of the CPU and of a device."""
    found = [torch.default_generator]
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        found.append(torch.cuda.default_generators[index])
    return found
