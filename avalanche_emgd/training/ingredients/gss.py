"""A replay memory of samples with diverse gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.core import BasePlugin, SupervisedPlugin
from torch import Tensor, nn
from torch.nn import functional

from ..._numbers import check_whole
from ...models.classifier import classifier_inputs, find_classifier
from ..memory import ReplayMemory
from .gss_memory import GSSMemory
from .replay import MemorySelection

__all__ = ["GSS", "GSSPlugin"]


class GSS(MemorySelection):
    """Gradient-based sample selection, GSS-greedy (Aljundi et al., NeurIPS 2019).

    The memory is a :class:`GSSMemory`. It selects streaming samples by the similarity of their
    gradients to those of stored samples, see :meth:`GSSPlugin.similarity`.

    :param num_compared: number of stored samples compared with a new sample, ≥ 1; 10 in the paper.
    :raises ValueError: if it is no whole number of at least 1.
    """

    def __init__(self, num_compared: int = 10) -> None:
        check_whole("num_compared", num_compared, 1)
        self.num_compared = num_compared

    def __repr__(self) -> str:
        return f"GSS(num_compared={self.num_compared!r})"

    def make_memory(self, max_size: int, seed: int) -> GSSMemory:
        """See :meth:`MemorySelection.make_memory`."""
        return GSSMemory(max_size, seed)

    def make_plugins(self, memory: ReplayMemory, model: nn.Module) -> Sequence[BasePlugin]:
        """Make the plugin that offers each minibatch to the memory.

        :param memory: memory of the strategy.
        :param model: model that is trained.
        :raises ValueError: if the model has no single linear classifier, or the memory is of
            another kind.
        """
        find_classifier(model)
        if not isinstance(memory, GSSMemory):
            raise ValueError(
                f"`memory_selection` {self!r} needs a GSSMemory, but `make_memory` of the strategy "
                f"makes {memory!r}."
            )
        return [GSSPlugin(memory, self.num_compared)]


class GSSPlugin(SupervisedPlugin):
    """Plugin that offers the samples of the active tasks to the memory at each tick.

    :param memory: memory that selects by similarity.
    :param num_compared: number of compared samples, see :class:`GSS`.
    """

    def __init__(self, memory: GSSMemory, num_compared: int) -> None:
        super().__init__()
        self.memory = memory
        self.num_compared = num_compared

    def after_training_iteration(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Offer the tick's samples, with similarities by the updated model."""
        for part in strategy.mbatch.parts:
            if part.replayed or part.objective in strategy.now.skipped:
                continue
            tensors = [strategy.mbatch.delivered, *strategy.mbatch[1:3]]
            samples = [tensor[part.start : part.stop] for tensor in tensors]
            compared = self.memory.compared(part.objective, self.num_compared)
            if compared is None:
                similarity = torch.zeros(len(samples[1]))
            else:
                similarity = self.similarity(strategy, samples, compared).max(dim=1).values.cpu()
            self.memory.offer(part.objective, samples, similarity)

    @torch.no_grad()
    def similarity(self, strategy: Any, first: list[Tensor], second: list[Tensor]) -> Tensor:
        """Compute the cosines ``[n, m]`` of the gradients of n and m samples.

        Gradients are those of the classifier, because their cosines need no backward pass. With
        δ = softmax(z) − onehot(y) and the classifier's inputs h, ⟨g, g′⟩ = ⟨δ, δ′⟩ (⟨h, h′⟩ + 1).
        The term 1 is the bias, and is absent without bias. The model is in evaluation mode, with
        the scenario's class mask.

        :param strategy: strategy that trains.
        :param first: n samples ``[x, y, task labels]``.
        :param second: m samples ``[x, y, task labels]``.
        """
        (features, errors), (others, other_errors) = (
            _gradients(strategy, samples) for samples in (first, second)
        )
        return (features @ others.T) * (errors @ other_errors.T)


def _gradients(strategy: Any, samples: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Compute both factors of each gradient, scaled to unit length."""
    x, y, labels = samples
    _, classifier = find_classifier(strategy.model)
    with classifier_inputs(classifier) as collected:
        logits = strategy.evaluated(x, labels)
    features = collected[-1]
    if classifier.bias is not None:
        features = functional.pad(features, (0, 1), value=1.0)
    errors = logits.softmax(dim=1) - functional.one_hot(y.to(logits.device), logits.shape[1])
    return functional.normalize(features), functional.normalize(errors)
