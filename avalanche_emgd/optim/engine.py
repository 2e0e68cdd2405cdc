"""Gradient engines: from a model and one batch per objective to one gradient per objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .checkpoints import reentrant_checkpoints_refused
from .flat_gradient import flattened
from .objective_gradients import ObjectiveGradients, StackedGradients

__all__ = ["GradientEngine", "Losses", "PlainEngine", "reusable"]

Batch = TypeVar("Batch")
Losses = Sequence[Tensor] | Tensor


class GradientEngine(ABC):
    """Computes one gradient per objective, in two steps so that losses can be the caller's.

    The first step forwards the batch of each objective, the second differentiates the loss of each.
    An engine may share work between objectives, as long as it returns what
    :class:`PlainEngine` returns.

    :ivar used: for each parameter of the last :meth:`gradients`, whether a loss depends on it.
    :ivar joined: outputs of the last :meth:`forward` one after the other, if they are of one pass;
        ``None`` if each objective has its own.
    """

    used: Sequence[bool] = ()
    joined: Tensor | None = None

    def attach(self, module: nn.Module) -> None:  # noqa: B027  # most engines need not know
        """Say which model the batches are forwarded through, where the engine wants to know.

        :param module: with everything in it that is trained.
        """

    @abstractmethod
    def forward(
        self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]
    ) -> Sequence[Tensor]:
        """Forward each objective's batch alone; return one output per objective."""

    def is_separate(self) -> bool:
        """Whether a pass is made for each objective: see ``losses`` of :meth:`gradients`."""
        return False

    def release(self) -> None:  # noqa: B027  # most engines keep nothing
        """Let go of the graphs and tensors of a tick."""

    @abstractmethod
    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        retain_graph: bool = False,
        *,
        separable: bool = False,
    ) -> ObjectiveGradients:
        """One flat gradient per loss.

        :param losses: n scalars, or a tensor ``[n]``, functions of the outputs of :meth:`forward`.
            An engine that :meth:`is_separate` asks for each once, after going backward from the one
            before: a sequence that forwards when it is asked has one graph alive at a time, and
            needs no :meth:`forward`.
        :param parameters: with P elements in all, all of one dtype.
        :param retain_graph: keep the graphs for another backward pass.
        :param separable: asserts that loss k depends on the outputs of objective k alone, and on no
            parameter but through these. An engine finds out where it is not asserted, if it must.
        :return: in the dtype of the parameters and in their order. The memory is the engine's and
            is reused by the next call.
        """


class PlainEngine(GradientEngine):
    """One forward and one backward pass per objective.

    Layers that mix samples see one objective at a time: batch norm normalises each objective's
    batch by its own statistics, and its running statistics take the objectives in their order.
    Since the batches are disjoint, the arithmetic is that of one pass over their concatenation.
    """

    def __init__(self) -> None:
        self._memory: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """State without the memory that is written at each tick."""
        return {**vars(self), "_memory": None}

    def forward(
        self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]
    ) -> Sequence[Tensor]:
        """See :meth:`GradientEngine.forward`."""
        with reentrant_checkpoints_refused():
            return [model(batch) for batch in batches]

    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        retain_graph: bool = False,
        *,
        separable: bool = False,
    ) -> ObjectiveGradients:
        """See :meth:`GradientEngine.gradients`."""
        with reentrant_checkpoints_refused():  # losses may be forwarded only when asked for
            rows, _ = self.differentiate(losses, parameters, retain_graph)
        return StackedGradients(rows)

    def differentiate(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        retain_graph: bool = False,
        outputs: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Gradients of losses by parameters, and by outputs where these are given.

        :param losses: n scalars.
        :param parameters: with P elements in all.
        :param retain_graph: keep the graphs.
        :param outputs: n outputs, one of each objective.
        :return: ``[n, P]`` in the engine's memory, and the gradient of loss k by output k; ``None``
            where it does not depend on it.
        """
        size = sum(p.numel() for p in parameters)
        self._memory = reusable(self._memory, len(losses) * size, parameters[0])
        rows = self._memory[: len(losses) * size].view(len(losses), size)
        used = [False] * len(parameters)
        slopes: list[Tensor | None] = []
        for k, (row, loss) in enumerate(zip(rows, losses, strict=True)):
            if not loss.requires_grad:  # depends on frozen parameters alone
                row.zero_()
                slopes.append(None)
                continue
            also = [outputs[k]] if outputs is not None and outputs[k].requires_grad else []
            grads = torch.autograd.grad(
                loss, [*parameters, *also], retain_graph=retain_graph, allow_unused=True
            )
            slopes.append(grads[-1] if also else None)
            grads = grads[: len(parameters)]
            used = [before or g is not None for before, g in zip(used, grads, strict=True)]
            flattened(grads, parameters, out=row)
        self.used = used
        return rows, slopes

    def is_separate(self) -> bool:
        """See :meth:`GradientEngine.is_separate`."""
        return True


def reusable(memory: Tensor | None, size: int, like: Tensor) -> Tensor:
    """Give at least ``size`` elements to write to: those there are, if they are of the right kind.

    :param memory: of an earlier call.
    :param like: a tensor of the dtype and on the device that they must have.
    """
    kind = (like.dtype, like.device)
    if memory is None or len(memory) < size or (memory.dtype, memory.device) != kind:
        return torch.empty(size, dtype=like.dtype, device=like.device)
    return memory
