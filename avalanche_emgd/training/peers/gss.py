"""GSS: a memory of samples whose gradients point in different directions."""

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

    Experience replay whose memory is a :class:`~avalanche_emgd.training.peers.GSSMemory`: which of
    a task's samples are kept is decided as they stream, by how much their gradients resemble those
    of samples kept. As a shortcut, gradients are those of the last layer, whose cosines need no
    backward pass: with δ = softmax(z) − onehot(y) and the classifier's inputs h,
    ⟨g, g′⟩ = ⟨δ, δ′⟩ (⟨h, h′⟩ + 1), without the 1 where it has no bias; in evaluation mode, with
    logits masked as the scenario asks. Half memory and half the mean of the active tasks.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``, and

    :param num_compared: samples kept that a new one is compared with, ≥ 1; the paper's 10.
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
        """Make a replay that offers the memory each minibatch."""
        return _SelectedReplay(memory, objectives)

    @torch.no_grad()
    def similarity(self, first: list[Tensor], second: list[Tensor]) -> Tensor:
        """Cosines ``[n, m]`` of the gradients of n and m samples ``[x, y, task labels]``."""
        (features, errors), (others, other_errors) = map(self._gradients, (first, second))
        return (features @ others.T) * (errors @ other_errors.T)

    def _gradients(self, samples: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Both factors of each gradient, scaled to unit length."""
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
    """Offers the memory what the active tasks deliver at each tick."""

    memory: GSSMemory

    def after_training_iteration(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Let the memory choose, by the model as it is after the update."""
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
