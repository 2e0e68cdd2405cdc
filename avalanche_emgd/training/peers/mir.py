"""MIR: replay of the samples that the next update would harm most."""

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

    At each tick, the method computes a look-ahead step θ′ = θ − η g on the mean loss of the active
    tasks. The factor η is the learning rate of the optimizer's first group, without momentum or
    scaling, as in the authors' code. Candidates are drawn from the memory. The candidates with the
    largest increase of the cross-entropy, ℓ(θ′) − ℓ(θ) in evaluation mode, are replayed. The update
    is half the memory's gradient plus half the mean gradient of the active tasks.

    Avalanche's ``MIRPlugin`` has its own memory and loader, and does not replay while the memory
    holds at most one minibatch. It also adds the replayed loss to the current loss. Here the memory
    is the same as for other methods, and is a separate objective.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting``.

    :param num_candidates: number of candidates at each tick, ≥ 1, at least the number of replayed
        samples; twice this number if omitted.
    :raises ValueError: if the memory is more than one objective.
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
        """Make the plugin that replays the samples with the largest interference."""
        if objectives != "one":
            raise ValueError(
                f"`memory_objectives` must be 'one' for MIR, which chooses among all samples of "
                f"the memory, found {objectives!r}."
            )
        return _InterferedReplay(memory, objectives)

    def interference(self, x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
        """Compute the increase of each sample's cross-entropy by the look-ahead step, ``[n]``.

        :param x: inputs ``[n, ...]``.
        :param y: class labels ``[n]``.
        :param task_labels: task labels ``[n]``.
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
        """Apply the step within the context, and restore parameters and buffers afterwards."""
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
    """Plugin that replays the candidates with the largest interference."""

    def choose(self, strategy: Any, size: int) -> dict[str, Tensor]:
        """Choose the samples to replay; see :meth:`ReplayMemoryPlugin.choose`."""
        candidates = self.memory.choose(max(size, strategy.num_candidates or 2 * size))
        if len(candidates) > size:
            scores = strategy.interference(*self.memory.take(candidates))
            candidates = candidates[scores.topk(size).indices.cpu()]
        return {"memory": candidates}
