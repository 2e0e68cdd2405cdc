"""The replay memory of GSS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..delivered_samples import DeliveredSamples
from ..memory import ReplayMemory
from ..memory_store import Group, SampleStore

__all__ = ["GSSMemory"]

_WHOLE_TASK = -1  # in place of a class label, because one store holds all samples of a task
_LEAST = 1e-6  # smallest score, so that samples with opposite gradients can still be drawn


class GSSMemory(ReplayMemory):
    """Replay memory that selects samples by the similarity of their gradients.

    The selection is GSS-greedy (Aljundi et al., NeurIPS 2019, algorithm 2), applied to each task
    separately. As in other methods, samples are set aside during the span of their task, up to the
    capacity, and replayed after its end. Finished tasks share the capacity equally; within a task,
    classes have no shares. In the paper all samples compete for one memory and are replayed at
    once. Here the samples of active tasks would occupy places that replay cannot use.

    The score C of a sample is 1 plus the largest cosine between its gradient and those of a few
    stored samples. If there are free places, every sample is stored. Otherwise a sample with C ≥ 1
    is dropped. For any other sample, a stored sample i is drawn with probability ∝ C_i, and
    replaced with probability C_i / (C_i + C). When the share of a finished task shrinks, the
    dropped samples are drawn with probability ∝ C_i, without repetition.

    Samples are stored as delivered; a sample that is delivered twice may be stored twice. If a
    finished task streams again, its new and its stored samples compete for its share in the same
    way.

    :param max_size: capacity in samples, ≥ 1.
    :param seed: seed of all random choices.
    """

    def __init__(self, max_size: int, seed: int = 0) -> None:
        super().__init__(max_size, seed)
        self._scores: dict[str, Tensor] = {}

    def compared(self, task: str, number: int) -> list[Tensor] | None:
        """Draw samples of an active task that are set aside.

        :param task: name of the task.
        :param number: number of samples; all samples if there are fewer.
        :return: samples ``[x, y, task labels]``; ``None`` if the task has none.
        """
        if task not in self._streaming:
            return None
        store = self._streaming[task][_WHOLE_TASK]
        chosen = torch.randperm(len(store), generator=self._generator)[:number]
        labels = torch.full((len(chosen),), store.task_label)
        return [store.inputs[chosen], store.labels[chosen], labels]

    def offer(self, task: str, samples: list[Tensor], similarity: Tensor) -> None:
        """Offer samples of an active task to the memory.

        :param task: name of the task.
        :param samples: b samples ``[x, y, task labels]``.
        :param similarity: largest cosine of each sample's gradient with stored ones, ``[b]``, in
            [−1, 1].
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
        """Return the state; see :meth:`ReplayMemory.state_dict`."""
        scores = {name: values.clone() for name, values in self._scores.items()}
        return {**super().state_dict(), "scores": scores}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state; see :meth:`ReplayMemory.load_state_dict`."""
        super().load_state_dict(state)
        self._scores = {name: values.clone() for name, values in state["scores"].items()}

    _IN_STATE: ClassVar[tuple[str, ...]] = (*ReplayMemory._IN_STATE, "_scores")

    def stream(self, samples: DeliveredSamples) -> None:
        """Do nothing, because samples are offered with their similarities."""

    def _collect(self, exp: Any) -> None:
        """Do nothing, because samples are offered at each tick."""

    def _group_of(self, name: str, label: int, store: SampleStore) -> Group:
        return (name, label)

    def _finish(self, name: str) -> None:
        for store in self._streaming.get(name, {}).values():
            # The order of exponential arrival times with rates C_i is the order of draws ∝ C_i
            # without repetition. The order of the store is the reverse of the order of draws.
            scores = self._scores.pop(name)
            arrivals = torch.empty_like(scores).exponential_(generator=self._generator) / scores
            store.fill(-arrivals, store.inputs, store.labels)
        super()._finish(name)
