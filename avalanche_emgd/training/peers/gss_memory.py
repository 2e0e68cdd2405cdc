"""The replay memory of GSS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..memory import ReplayMemory
from ..memory_store import Group, SampleStore

__all__ = ["GSSMemory"]

_WHOLE_TASK = -1  # in place of a class label: all samples of a task are in one store
_LEAST = 1e-6  # of a score: opposite gradients have 0, but must be possible to draw


class GSSMemory(ReplayMemory):
    """Keeps samples aside by the similarity of their gradients, instead of at random.

    GSS-greedy (Aljundi et al., NeurIPS 2019, algorithm 2) with a place of its own for each task, in
    the frame of all other methods: the samples of a task are kept aside while it streams, as many
    as the memory has room for, and are replayed once its span is over. Finished tasks share the
    capacity equally, whatever their classes: which of them get how much is for GSS to decide. In
    the paper all samples compete for one memory and are replayed at once; here active tasks would
    only take places that replay cannot use.

    The score of a sample is the largest cosine of its gradient and those of a few samples kept,
    plus 1. While there is room every sample is kept. Then one whose score is at least 1 is let go;
    another one takes the place of a sample i drawn with a probability ∝ C_i, if chance of
    probability C_i / (C_i + C) says so. When the share of a finished task shrinks, it loses samples
    drawn in the same way, ∝ C_i without repetition.

    Samples are stored as they were delivered; one delivered twice may be kept twice. If a finished
    task streams again, its new samples and those in memory compete for its share in the same way.

    :param max_size: capacity in samples, ≥ 1.
    :param seed: of all that is drawn.
    """

    def __init__(self, max_size: int, seed: int = 0) -> None:
        super().__init__(max_size, seed)
        self._scores: dict[str, Tensor] = {}

    def compared(self, task: str, number: int) -> list[Tensor] | None:
        """Draw samples kept aside of an active task, ``[x, y, task labels]``; ``None`` at first.

        :param task: its name.
        :param number: how many; fewer if fewer are kept.
        """
        if task not in self._streaming:
            return None
        store = self._streaming[task][_WHOLE_TASK]
        chosen = torch.randperm(len(store), generator=self._generator)[:number]
        labels = torch.full((len(chosen),), store.task_label)
        return [store.inputs[chosen], store.labels[chosen], labels]

    def offer(self, task: str, samples: list[Tensor], similarity: Tensor) -> None:
        """Offer samples of an active task.

        :param task: its name.
        :param samples: ``[x, y, task labels]``, of b samples.
        :param similarity: largest cosine of each, ``[b]`` in [−1, 1].
        """
        x, y, labels = (tensor.detach().cpu() for tensor in samples)
        new = (similarity.double() + 1.0).clamp(min=_LEAST)
        if task not in self._streaming:
            self._streaming[task] = {_WHOLE_TASK: SampleStore(int(labels[0]))}
            self._scores[task] = new[:0]
        store = self._streaming[task][_WHOLE_TASK]
        room = max(0, self.max_size - len(store))
        if room:
            self._scores[task] = torch.cat([self._scores[task], new[:room]])
            inputs = torch.cat([store.inputs, x[:room]]) if len(store) else x[:room].clone()
            order = torch.arange(len(inputs), dtype=torch.float64)
            store.fill(order, inputs, torch.cat([store.labels, y[:room]]))
        scores = self._scores[task]
        for index in range(room, len(new)):
            if new[index] < 1.0:
                old = int(torch.multinomial(scores, 1, generator=self._generator))
                chance = torch.rand((), generator=self._generator, dtype=torch.float64)
                if chance < scores[old] / (scores[old] + new[index]):
                    store.inputs[old], store.labels[old] = x[index], y[index]
                    scores[old] = new[index]

    def state_dict(self) -> dict[str, Any]:
        """See :meth:`ReplayMemory.state_dict`."""
        scores = {name: values.clone() for name, values in self._scores.items()}
        return {**super().state_dict(), "scores": scores}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See :meth:`ReplayMemory.load_state_dict`."""
        super().load_state_dict(state)
        self._scores = {name: values.clone() for name, values in state["scores"].items()}

    _IN_STATE: ClassVar[tuple[str, ...]] = (*ReplayMemory._IN_STATE, "_scores")

    def _take_in(self, exp: Any) -> None:
        """Do nothing: samples are offered at each tick."""

    def _group_of(self, name: str, label: int, store: SampleStore) -> Group:
        return (name, label)

    def _finish(self, name: str) -> None:
        for store in self._streaming.get(name, {}).values():
            # Arrival times of exponential clocks of rates C_i: their order is that of drawing ∝ C_i
            # without repetition. The last ones to be drawn come first in the store.
            scores = self._scores.pop(name)
            arrivals = torch.empty_like(scores).exponential_(generator=self._generator) / scores
            store.fill(-arrivals, store.inputs, store.labels)
        super()._finish(name)
