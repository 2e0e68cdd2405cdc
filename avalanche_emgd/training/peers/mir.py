"""MIR: replay what the next update would harm most."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...models import evaluation_mode
from ...optim.peers import ERWeighting
from ..memory import ReplayMemory
from ..options import StrategyOptions
from ..plugins import MemoryObjectives, ReplayMemoryPlugin
from ..templates import MultiGradientTemplate

__all__ = ["MIRStrategy"]


class MIRStrategy(MultiGradientTemplate):
    """Maximally interfered retrieval (Aljundi et al., NeurIPS 2019).

    At each tick a look-ahead step θ′ = θ − η g is made on the mean loss of the active tasks, with η
    the learning rate of the optimizer's first group and no momentum or scaling, as in the authors'
    code. Of a number of candidates from memory those are replayed whose cross-entropy it raises
    most, ℓ(θ′) − ℓ(θ), both in evaluation mode. Half memory and half the mean of the active tasks.

    Avalanche's ``MIRPlugin`` has a memory and a loader of its own, skips replay wherever the memory
    holds no more than a minibatch, and adds the replayed loss to the current one outside the
    objectives; here it is our memory and one more objective.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``, and

    :param num_candidates: drawn at each tick, ≥ 1, and never fewer than are replayed; twice as many
        if omitted.
    :raises ValueError: for a memory that is more than one objective.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        num_candidates: int | None = None,
        **options: Unpack[StrategyOptions],
    ) -> None:
        if num_candidates is not None and num_candidates < 1:
            raise ValueError(f"`num_candidates` must be at least 1, found {num_candidates!r}.")
        self.num_candidates = num_candidates
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)

    def make_replay(self, memory: ReplayMemory, objectives: MemoryObjectives) -> ReplayMemoryPlugin:
        """Make a replay of what is interfered with most."""
        if objectives != "one":
            raise ValueError(
                f"`memory_objectives` must be 'one' for MIR, which chooses among all samples of "
                f"the memory, found {objectives!r}."
            )
        return _InterferedReplay(memory, objectives)

    def interference(self, x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
        """By how much the look-ahead step raises each sample's cross-entropy, ``[n]``.

        :param x: inputs ``[n, ...]``.
        :param y: class labels ``[n]``.
        :param task_labels: ``[n]``.
        """
        samples = (x.to(self.device), y.to(self.device), task_labels.to(self.device))
        before = self._losses_of(*samples)
        with self._looking_ahead():
            after = self._losses_of(*samples)
        return after - before

    @torch.no_grad()
    def _losses_of(self, x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
        with evaluation_mode(self.model):
            logits = self._class_mask(self._forward_batch((x, task_labels)), task_labels)
        return functional.cross_entropy(logits, y, reduction="none")

    @contextmanager
    def _looking_ahead(self) -> Iterator[None]:
        """Make the step; take it back afterwards, with all that passes have left in buffers."""
        state = [*self.model.parameters(), *self.model.buffers()]
        saved = [tensor.detach().clone() for tensor in state]
        losses = [self.loss_of(self.mb_x[p.start : p.stop], p) for p in self.mbatch.parts]
        parameters = self.space.parameters
        gradients = torch.autograd.grad(torch.stack(losses).mean(), parameters, allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    parameter.sub_(gradient, alpha=float(self.optimizer.param_groups[0]["lr"]))
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, value in zip(state, saved, strict=True):
                    tensor.copy_(value)


class _InterferedReplay(ReplayMemoryPlugin):
    """Chooses the candidates that are interfered with most."""

    def choose(self, strategy: Any, size: int) -> dict[str, Tensor]:
        """See :meth:`ReplayMemoryPlugin.choose`."""
        candidates = self.memory.choose(max(size, strategy.num_candidates or 2 * size))
        if len(candidates) > size:
            scores = strategy.interference(*self.memory.take(candidates))
            candidates = candidates[scores.topk(size).indices.cpu()]
        return {"memory": candidates}
