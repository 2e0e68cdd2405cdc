"""Logits that the replay memory stores with its samples, and losses that compare with them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor
from torch.nn import functional

from ..._numbers import check_not_negative
from ...benchmarks import Part
from ...models import is_masked
from ...models.class_mask import masked_value

__all__ = ["StoredOutputs"]

_CHUNK = 512  # samples per forward pass
_NAME = "logits"  # of the annotation


class StoredOutputs(SupervisedPlugin, ABC):
    r"""Loss of the memory from labels and from the logits that the model once had.

    The samples of a task enter the memory at the end of its span. At that time the model's logits z
    in evaluation mode are stored with them. The memory's loss is

    .. math:: \beta \, \mathrm{CE}(f(x), y) + \alpha \, \overline{D(f(x), z)}

    with a distance D over the classes that competed when z was stored.

    The object has no state: the memory stores the logits as an annotation, ``"logits"``.

    :param alpha: weight of the distance, ≥ 0.
    :param beta: weight of the labels, ≥ 0.
    :raises ValueError: if a weight is negative or not finite.
    """

    def __init__(self, alpha: float, beta: float) -> None:
        super().__init__()
        for name, value in (("alpha", alpha), ("beta", beta)):
            check_not_negative(name, value)
        self.alpha = alpha
        self.beta = beta

    @abstractmethod
    def distance(self, output: Tensor, stored: Tensor, competed: Tensor) -> Tensor:
        """Mean distance of outputs and stored logits, a scalar.

        :param output: masked outputs ``[b, K]``.
        :param stored: stored logits ``[b, K]``.
        :param competed: mask ``[b, K]`` of the outputs of classes that competed, boolean.
        """

    def __call__(self, strategy: Any, output: Tensor, part: Part) -> Tensor:
        """Compute the loss of one objective of the memory, a scalar.

        :param strategy: strategy that trains.
        :param output: masked outputs ``[b, K]``.
        :param part: samples of the objective in the minibatch.
        """
        loss: Tensor = strategy.label_loss(output, part)
        drawn = strategy.replay.drawn[part.objective]
        stored = strategy.memory.annotation(_NAME)[drawn].to(output.device)
        width = min(stored.shape[1], output.shape[1])  # heads may have grown since
        stored = stored[:, :width]
        distance = self.distance(output[:, :width], stored, ~is_masked(stored))
        return self.beta * loss + self.alpha * distance

    def before_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Store the logits of tasks that the experience does not continue."""
        self._store(strategy)

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Store the logits of tasks that have finished."""
        self._store(strategy)

    def _store(self, strategy: Any) -> None:
        memory = strategy.memory
        if memory is None:
            return

        def logits(x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
            pieces = [
                strategy.evaluated(piece, labels)
                for piece, labels in zip(x.split(_CHUNK), task_labels.split(_CHUNK), strict=True)
            ]
            new = torch.cat(pieces)
            # Heads may grow. Logits that only some samples have are masked for the others.
            more = memory.widen(_NAME, new.shape[1], masked_value(new.dtype)) - new.shape[1]
            return functional.pad(new, (0, more), value=masked_value(new.dtype))

        memory.annotate(_NAME, logits)
