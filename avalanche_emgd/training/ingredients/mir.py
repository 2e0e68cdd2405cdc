"""Replay of the samples that the next update would harm most."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..._numbers import check_whole
from ..memory import ReplayMemory
from ..plugins import MemoryObjectives, ReplayMemoryPlugin
from .replay import MemoryRetrieval

__all__ = ["MIR", "MIRReplayPlugin"]


class MIR(MemoryRetrieval):
    """Maximally interfered retrieval (Aljundi et al., NeurIPS 2019).

    At each tick, the method computes a look-ahead step θ′ = θ − η g on the mean loss of the active
    tasks. The factor η is the learning rate of the optimizer's first group, without momentum or
    scaling, as in the authors' code. Candidates are drawn from the memory. The candidates with the
    largest increase of the cross-entropy, ℓ(θ′) − ℓ(θ) in evaluation mode, are replayed. If each
    finished task is an objective, each has an equal share of the candidates and of the minibatch.

    Avalanche's ``MIRPlugin`` has its own memory and loader, and does not replay while the memory
    holds at most one minibatch. It also adds the replayed loss to the current loss. Here the memory
    is the same as for other methods, and is a separate objective, or several.

    :param num_candidates: number of candidates at each tick, ≥ 1, at least the number of replayed
        samples; twice this number if omitted.
    :raises ValueError: if it is no whole number of at least 1.
    """

    def __init__(self, num_candidates: int | None = None) -> None:
        if num_candidates is not None:
            check_whole("num_candidates", num_candidates, 1)
        self.num_candidates = num_candidates

    def __repr__(self) -> str:
        return f"MIR(num_candidates={self.num_candidates!r})"

    def make_replay(self, memory: ReplayMemory, objectives: MemoryObjectives) -> ReplayMemoryPlugin:
        """See :meth:`MemoryRetrieval.make_replay`."""
        return MIRReplayPlugin(memory, objectives, self.num_candidates)


class MIRReplayPlugin(ReplayMemoryPlugin):
    """Plugin that replays the candidates with the largest interference.

    :param memory: memory, see :class:`~avalanche_emgd.training.plugins.ReplayMemoryPlugin`.
    :param objectives: objectives, see :class:`~avalanche_emgd.training.plugins.ReplayMemoryPlugin`.
    :param num_candidates: number of candidates, see :class:`MIR`.
    """

    def __init__(
        self,
        memory: ReplayMemory,
        objectives: MemoryObjectives = "one",
        num_candidates: int | None = None,
    ) -> None:
        super().__init__(memory, objectives)
        self.num_candidates = num_candidates

    def choose(self, strategy: Any, size: int) -> dict[str, Tensor]:
        """Choose the samples to replay; see :meth:`ReplayMemoryPlugin.choose`."""
        number = max(size, self.num_candidates or 2 * size)
        if self.objectives == "one":
            candidates = self.memory.choose(number)
            if len(candidates) > size:
                scores = self.interference(strategy, *self.memory.take(candidates))
                candidates = candidates[scores.topk(size).indices.cpu()]
            return {"memory": candidates}
        chosen = super().choose(strategy, size)
        drawn = self.memory.choose_per_task(number) if number > size else {}
        # A task's part of the minibatch may be larger than its part of the candidates.
        more = {
            name: torch.cat([own, drawn.get(name.removeprefix("memory-"), own)]).unique()
            for name, own in chosen.items()
        }
        if sum(map(len, more.values())) == sum(map(len, chosen.values())):
            return chosen
        positions = torch.cat(list(more.values()))
        scores = self.interference(strategy, *self.memory.take(positions)).cpu()
        pieces = scores.split([len(each) for each in more.values()])
        return {
            name: more[name][piece.topk(len(own)).indices]
            for (name, own), piece in zip(chosen.items(), pieces, strict=True)
        }

    def interference(self, strategy: Any, x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
        """Compute the increase of each sample's cross-entropy by the look-ahead step, ``[n]``.

        :param strategy: strategy whose minibatch has the samples of the active tasks.
        :param x: inputs ``[n, ...]``.
        :param y: class labels ``[n]``.
        :param task_labels: task labels ``[n]``.
        """
        before = _losses(strategy, x, y, task_labels)
        with _look_ahead(strategy):
            after = _losses(strategy, x, y, task_labels)
        return after - before


@torch.no_grad()
def _losses(strategy: Any, x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
    logits = strategy.evaluated(x, task_labels)
    return functional.cross_entropy(logits, y.to(logits.device), reduction="none")


@contextmanager
def _look_ahead(strategy: Any) -> Iterator[None]:
    """Apply the step within the context, and restore parameters and buffers afterwards."""
    model = strategy.model
    state = [*model.parameters(), *model.buffers()]
    saved = [tensor.detach().clone() for tensor in state]
    losses = [strategy.loss_of(strategy.mb_x[p.start : p.stop], p) for p in strategy.mbatch.parts]
    parameters = strategy.space.parameters
    gradients = torch.autograd.grad(torch.stack(losses).mean(), parameters, allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter.sub_(gradient, alpha=float(strategy.optimizer.param_groups[0]["lr"]))
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(state, saved, strict=True):
                tensor.copy_(value)
