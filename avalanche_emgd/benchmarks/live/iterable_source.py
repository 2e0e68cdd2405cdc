"""Iterables as sources of a live stream: generators, torch's ``IterableDataset``, loaders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, default_collate

from ..._text_files import first_line
from .sources import LiveSource, Minibatch

__all__ = ["IterableSource", "check_iterable"]


class IterableSource(LiveSource):
    """Samples ``(x, y, ...)`` of an iterable, in its order.

    An iterable that can be iterated again, such as an ``IterableDataset`` or a list, can seek. A
    resumed stream iterates it from its start and skips the samples that it has delivered. A
    generator cannot seek. A resumed stream takes what the new generator gives, and loses the
    samples that the earlier process had read ahead.

    :param samples: iterable of samples; a ``DataLoader`` gives its minibatches, which are divided
        into samples.
    """

    def __init__(self, samples: Iterable[Any]) -> None:
        super().__init__()
        self._samples = samples
        self._can_seek = not isinstance(samples, Iterator)
        self._skipped = 0

    def batches(self, size: int) -> Iterator[Minibatch]:
        """See :meth:`LiveSource.batches`."""
        samples = iter(self._samples)
        if isinstance(self._samples, DataLoader) and self._samples.batch_size is not None:
            samples = _divided(samples)
        if self._skipped:
            next(islice(samples, self._skipped, self._skipped), None)
        number = self._skipped
        while chosen := list(islice(samples, size)):
            pairs = [_pair(sample, number + place) for place, sample in enumerate(chosen)]
            number += len(pairs)
            yield Minibatch(_joined([x for x, _ in pairs], number), [y for _, y in pairs])

    def load_state_dict(self, state: Mapping[str, Any]) -> str | None:
        """See :meth:`LiveSource.load_state_dict`."""
        super().load_state_dict(state)
        if self._can_seek:
            self._skipped = self.num_delivered
            return None
        return (
            f"its data are a generator, which cannot skip the {self.num_delivered} samples "
            "delivered before: samples that the earlier process had read ahead are lost"
        )


def _divided(batches: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    for batch in batches:
        yield from zip(batch[0], batch[1], strict=True)


def _pair(sample: Any, number: int) -> tuple[Any, Any]:
    if not isinstance(sample, (tuple, list)) or len(sample) < 2:
        raise ValueError(
            f"sample {number} is of type {type(sample).__name__}: give (input, class label)"
        )
    x = sample[0]
    if isinstance(x, Image.Image):
        raise ValueError(
            f"sample {number} is a Pillow image: convert it to a tensor, "
            "as by torchvision's ToTensor()"
        )
    try:
        return torch.as_tensor(x), sample[1]
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"sample {number} cannot be a tensor: {first_line(error)[:200]}") from None


def _joined(inputs: list[Tensor], number: int) -> Tensor:
    shapes = {(tuple(x.shape), x.dtype) for x in inputs}
    if len(shapes) > 1:
        found = " and ".join(f"{dtype} {list(shape)}" for shape, dtype in sorted(shapes, key=str))
        raise ValueError(f"samples before {number} differ in shape or type: {found}")
    joined: Tensor = default_collate(inputs)
    return joined


def check_iterable(data: Any, what: str) -> None:
    """Check that data are iterable samples.

    :param what: words for the data, for the message.
    :raises ValueError: if they are not.
    """
    if isinstance(data, (str, bytes, Mapping)) or not hasattr(data, "__iter__"):
        raise ValueError(
            f"{what} must be a data set, an iterable of (x, y) or a LiveSource, found "
            f"{type(data).__name__}."
        )
