"""GSS: a replay memory of samples with diverse gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...models import evaluation_mode
from ...models.classifier import classifier_inputs, find_classifier
from ...optim.peers import ERWeighting
from ..memory import ReplayMemory
from ..options import StrategyOptions
from ..plugins import MemoryObjectives, ReplayMemoryPlugin
from ..templates import MultiGradientTemplate
from .gss_memory import GSSMemory

__all__ = ["GSSStrategy"]


class GSSStrategy(MultiGradientTemplate):
    """Gradient-based sample selection, GSS-greedy (Aljundi et al., NeurIPS 2019).

    The method is experience replay with a :class:`~avalanche_emgd.training.peers.GSSMemory`. This
    memory selects streaming samples by the similarity of their gradients to those of stored
    samples. The update is half the memory's gradient plus half the mean gradient of the active
    tasks.

    Gradients are those of the classifier, because their cosines need no backward pass. With
    δ = softmax(z) − onehot(y) and the classifier's inputs h, ⟨g, g′⟩ = ⟨δ, δ′⟩ (⟨h, h′⟩ + 1). The
    term 1 is the bias, and is absent without bias. The model is in evaluation mode, with the
    scenario's class mask.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting``.

    :param num_compared: number of stored samples compared with a new sample, ≥ 1; 10 in the paper.
    :raises ValueError: if the model has no single linear classifier.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        num_compared: int = 10,
        **options: Unpack[StrategyOptions],
    ) -> None:
        if num_compared < 1:
            raise ValueError(f"`num_compared` must be at least 1, found {num_compared!r}.")
        find_classifier(model)
        self.num_compared = num_compared
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)

    def make_memory(self, memory_size: int, seed: int) -> ReplayMemory:
        """Make the memory that selects by gradients."""
        return GSSMemory(memory_size, seed)

    def make_replay(self, memory: ReplayMemory, objectives: MemoryObjectives) -> ReplayMemoryPlugin:
        """Make the plugin that offers each minibatch to the memory."""
        return _SelectedReplay(memory, objectives)

    @torch.no_grad()
    def similarity(self, first: list[Tensor], second: list[Tensor]) -> Tensor:
        """Compute the cosines ``[n, m]`` of the gradients of n and m samples.

        :param first: n samples ``[x, y, task labels]``.
        :param second: m samples ``[x, y, task labels]``.
        """
        (features, errors), (others, other_errors) = map(self._gradients, (first, second))
        return (features @ others.T) * (errors @ other_errors.T)

    def _gradients(self, samples: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Compute both factors of each gradient, scaled to unit length."""
        x, y, labels = (tensor.to(self.device) for tensor in samples)
        _, classifier = find_classifier(self.model)
        with evaluation_mode(self.model), classifier_inputs(classifier) as collected:
            logits = self._class_mask(self._forward_batch((x, labels)), labels)
        features = collected[-1]
        if classifier.bias is not None:
            features = functional.pad(features, (0, 1), value=1.0)
        errors = logits.softmax(dim=1) - functional.one_hot(y, logits.shape[1])
        return functional.normalize(features), functional.normalize(errors)


class _SelectedReplay(ReplayMemoryPlugin):
    """Plugin that offers the samples of the active tasks to the memory at each tick."""

    memory: GSSMemory

    def after_training_iteration(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Offer the tick's samples, with similarities by the updated model."""
        for part in strategy.mbatch.parts:
            if part.replayed:
                continue
            samples = [tensor[part.start : part.stop] for tensor in list(strategy.mbatch)[:3]]
            compared = self.memory.compared(part.objective, strategy.num_compared)
            if compared is None:
                similarity = torch.zeros(len(samples[1]))
            else:
                similarity = strategy.similarity(samples, compared).max(dim=1).values.cpu()
            self.memory.offer(part.objective, samples, similarity)
