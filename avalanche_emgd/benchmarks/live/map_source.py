"""Map-style data sets as sources of a live stream."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor

from ..._numbers import check_whole
from .._examination import Examination
from ..datasets import Source, collate, inputs_of
from .sources import LiveSource, Minibatch

__all__ = ["MapSource"]

_EXAMINED = 64  # samples that are loaded one by one beforehand


class MapSource(LiveSource):
    """Data set of ``(x, y, ...)`` with a length and samples by index.

    Samples are shuffled in each epoch. The order depends on ``seed`` alone, so that a resumed
    stream skips exactly the samples delivered before.

    :param dataset: a torch or Avalanche data set; transforms of the latter apply as in training.
    :param name: name of the data, for error messages.
    :param seed: seed of the order.
    :param shuffle: whether to shuffle.
    :param epochs: passes over the data, ≥ 1.
    :raises ValueError: if the data cannot be used; the message names the sample and the reason.
    """

    def __init__(
        self, dataset: Any, name: str, *, seed: int = 0, shuffle: bool = True, epochs: int = 1
    ) -> None:
        super().__init__()
        check_whole("epochs", epochs, 1)
        examination = Examination(dataset, name)
        examination.inputs(None, _EXAMINED)
        self.labels: list[int] = examination.labels
        """Class labels of all samples."""
        if not self.labels:
            raise ValueError(f"`{name}` has no sample.")
        self._dataset = dataset
        self._own: Source | None = None
        if not isinstance(dataset, AvalancheDataset):
            self._own = Source(dataset, self.labels, 0)
        self.may_wait = self._own is None or self._own.bulk is None
        self._seed, self._shuffle, self._epochs = seed, shuffle, epochs

    def batches(self, size: int) -> Iterator[Minibatch]:
        """See :meth:`LiveSource.batches`; a minibatch has samples of one epoch."""
        number = len(self.labels)
        first, start = divmod(self.num_delivered, number)
        for epoch in range(first, self._epochs):
            order = self._order(epoch)
            while start < number:
                chosen = order[start : start + size]
                start += len(chosen)
                yield self._load(chosen)
            start = 0

    def _order(self, epoch: int) -> Tensor:
        if not self._shuffle:
            return torch.arange(len(self.labels))
        generator = torch.Generator().manual_seed(self._seed + epoch)
        return torch.randperm(len(self.labels), generator=generator)

    def _load(self, chosen: Tensor) -> Minibatch:
        labels = [self.labels[index] for index in chosen.tolist()]
        if self._own is not None:
            return Minibatch(self._own.load(chosen)[0], labels)
        inputs = collate(self._dataset.train(), chosen.tolist())[0]
        return Minibatch(inputs, labels, partial(_stored, self._dataset, chosen))


def _stored(dataset: Any, chosen: Tensor, positions: Tensor) -> Tensor:
    return inputs_of(dataset.eval(), chosen[positions])
