"""One forward and one backward pass per objective: the reference for every other engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from .batches import Batches, Pieces
from .checkpoints import reentrant_checkpoints_refused
from .engine import GradientEngine, Losses, Pass
from .flat_gradient import flat_pieces, flattened
from .objective_gradients import StackedGradients
from .workspace import Workspace

__all__ = ["PlainEngine", "SeparatePass"]

Batch = TypeVar("Batch")


class PlainEngine(GradientEngine):
    """One forward and one backward pass per objective.

    Layers that mix samples see one objective at a time. Batch norm normalises each objective's
    batch by its own statistics, and its running statistics take the objectives in their order.
    Since the batches are disjoint, the arithmetic is that of one pass over their concatenation.

    Objectives of one group are forwarded as one batch; the loss of each is then differentiated
    through the graph of all.
    """

    def __init__(self) -> None:
        self._workspace = Workspace()

    def forward(
        self,
        model: Callable[[Batch], Tensor],
        batches: Sequence[Batch],
        *,
        workspace: Workspace | None = None,
    ) -> SeparatePass:
        """See :meth:`GradientEngine.forward`.

        :param workspace: workspace that gives the memory for the gradients of this pass; the
            engine's if omitted.
        """
        workspace = self._workspace if workspace is None else workspace
        with reentrant_checkpoints_refused():
            if not isinstance(batches, Batches) or max(batches.groups, default=1) == 1:
                return SeparatePass([model(batch) for batch in batches], workspace)
            sizes, outputs = iter(batches.sizes), []
            for number, batch in zip(batches.groups, batches.merged(batches.groups), strict=True):
                output = model(batch)
                own = [next(sizes) for _ in range(number)]
                outputs += [output] if number == 1 else list(Pieces(output, own))
        return SeparatePass(outputs, workspace, batches.groups)


class SeparatePass(Pass):
    """Outputs of passes of their own.

    :param outputs: one for each objective.
    :param workspace: workspace that gives the memory that gradients are written to.
    :param groups: number of successive objectives that share a graph; one each if omitted.
    """

    def __init__(
        self,
        outputs: Sequence[Tensor],
        workspace: Workspace,
        groups: Sequence[int] | None = None,
    ) -> None:
        self.outputs = outputs
        self._workspace = workspace
        groups = [1] * len(outputs) if groups is None else groups
        self._is_last = [k == number - 1 for number in groups for k in range(number)]

    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        *,
        retain_graph: bool = False,
        separable: bool = False,
    ) -> StackedGradients:
        """See :meth:`Pass.gradients`."""
        return self.differentiate(losses, parameters, retain_graph)[0]

    def differentiate(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        retain_graph: bool = False,
        *,
        by_outputs: bool = False,
    ) -> tuple[StackedGradients, list[Tensor | None]]:
        """Gradients of losses by parameters, and by outputs if asked for.

        :param losses: n scalars.
        :param parameters: parameters with P elements in all.
        :param retain_graph: whether to keep the graphs.
        :param by_outputs: whether to differentiate loss k by output k, too.
        :return: gradients by parameters, and those by outputs; ``None`` where a loss does not
            depend on its output, or is not differentiated by it.
        """
        n, size = len(losses), sum(p.numel() for p in parameters)
        rows = self._workspace.take(n * size, parameters[0])[: n * size].view(n, size)
        used = [False] * len(parameters)
        output_gradients: list[Tensor | None] = []
        is_stacked = isinstance(losses, Tensor)
        is_one_each = n == len(self._is_last)
        with reentrant_checkpoints_refused():
            for k, (row, loss) in enumerate(zip(rows, losses, strict=True)):
                if not loss.requires_grad:  # depends on frozen parameters alone
                    row.zero_()
                    output_gradients.append(None)
                    continue
                also = [self.outputs[k]] if by_outputs and self.outputs[k].requires_grad else []
                # Graphs that losses share are kept for those that follow.
                keep = retain_graph or is_stacked or not (is_one_each and self._is_last[k])
                grads = torch.autograd.grad(
                    loss, [*parameters, *also], retain_graph=keep, allow_unused=True
                )
                output_gradients.append(grads[-1] if also else None)
                grads = grads[: len(parameters)]
                used = [before or g is not None for before, g in zip(used, grads, strict=True)]
                flattened(grads, parameters, out=row)
        return StackedGradients(rows, used), output_gradients

    def output_gradients(self, losses: Losses) -> list[Tensor | None]:
        """Gradients of loss k by output k, ``None`` where it does not depend on it.

        :param losses: one for each output; their graphs are kept.
        """
        found: list[Tensor | None] = []
        for loss, output in zip(losses, self.outputs, strict=True):
            if loss.requires_grad and output.requires_grad:
                found += torch.autograd.grad(loss, output, retain_graph=True, allow_unused=True)
            else:
                found.append(None)
        return found

    def row(self, loss: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
        """Flat gradients of one loss by each parameter; its graph is kept."""
        grads: Sequence[Tensor | None] = [None] * len(parameters)
        if loss.requires_grad:
            with reentrant_checkpoints_refused():
                grads = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        return flat_pieces(grads, parameters)
