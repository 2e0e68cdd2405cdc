"""Sources of a live stream: what delivers the samples of one task until its data end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

__all__ = ["LiveSource", "Minibatch"]


@dataclass(frozen=True)
class Minibatch:
    """Samples of one task, as a source delivers them.

    :param inputs: inputs ``[b, ...]`` after training transforms, b ≥ 1.
    :param labels: b class labels, whole numbers or text.
    :param stored: function from positions ``[m]`` in the minibatch to inputs ``[m, ...]`` for a
        replay memory, for example after evaluation transforms. If ``None``, the memory keeps rows
        of ``inputs``.
    :param mark: description of the samples for :meth:`LiveSource.delivered`.
    """

    inputs: Tensor
    labels: Sequence[Any]
    stored: Callable[[Tensor], Tensor] | None = None
    mark: Any = None

    def __len__(self) -> int:
        return len(self.labels)


class LiveSource(ABC):
    """Samples of one task, in minibatches, of unknown number.

    A subclass gives minibatches by :meth:`batches`. The stream reads ahead by a few minibatches, in
    a thread if :attr:`may_wait`, and calls :meth:`delivered` for each one that is trained on.
    """

    may_wait = True
    """Whether the next minibatch may take long, so that a thread has to wait for it."""

    def __init__(self) -> None:
        self.num_delivered = 0
        """Number of samples that have been trained on."""

    @abstractmethod
    def batches(self, size: int) -> Iterator[Minibatch]:
        """Yield the minibatches of the samples that have not been delivered yet.

        :param size: samples of a minibatch; the last one may have fewer.
        """

    def delivered(self, minibatch: Minibatch) -> None:
        """Note that a minibatch is trained on."""
        self.num_delivered += len(minibatch)

    def stop(self) -> None:  # noqa: B027  # most sources have nothing to stop
        """Make a :meth:`batches` that waits for data return soon."""

    def state_dict(self) -> dict[str, Any]:
        """Return what has been delivered, as numbers and text."""
        return {"num_delivered": self.num_delivered}

    def load_state_dict(self, state: Mapping[str, Any]) -> str | None:
        """Continue after the samples that an earlier process has delivered.

        :param state: state of :meth:`state_dict`.
        :return: which samples are lost; ``None`` if the source skips exactly those delivered.
        """
        self.num_delivered = int(state["num_delivered"])
        return None
