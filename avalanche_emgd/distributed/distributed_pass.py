"""A tick whose objectives are forwarded and differentiated on several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..gradients import ObjectiveGradients, Pass
from ..gradients.batches import Pieces
from ..gradients.engine import Losses
from ..gradients.flat_gradient import flattened
from ..gradients.graph import are_separable
from .placement import Share
from .slice_exchange import SliceExchange
from .sliced_gradients import SlicedGradients

__all__ = ["DistributedPass"]


class DistributedPass(Pass):
    """Outputs of all objectives, and the graphs of those samples that this process has forwarded.

    All processes have the outputs of all samples. Each computes all losses and their gradients by
    the outputs, whatever the losses are, and goes backward through its own graphs.

    :param output: outputs of all samples ``[N, ...]``, in the order of the objectives.
    :param sizes: samples of each of the n objectives.
    :param shares: shares of all processes.
    :param made: pass over the own share; ``None`` without samples.
    :param exchange: exchange of the gradients between the processes.
    """

    joined: Tensor

    def __init__(
        self,
        output: Tensor,
        sizes: Sequence[int],
        shares: Sequence[Sequence[Share]],
        made: Pass | None,
        exchange: SliceExchange,
    ) -> None:
        # A copy, because users may modify it in place, and walks through graphs end at its node.
        self._output = output.requires_grad_()
        self.joined = self._output.clone()
        self.outputs = Pieces(self.joined, sizes)
        self._sizes, self._shares = list(sizes), shares
        self._made, self._exchange = made, exchange
        self._processes = exchange.processes

    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        *,
        retain_graph: bool = False,
        separable: bool = False,
    ) -> ObjectiveGradients:
        """See :meth:`Pass.gradients`."""
        roots = [losses] if isinstance(losses, Tensor) else list(losses)
        is_separable = separable or are_separable(roots, parameters, self.joined, self._sizes)
        if is_separable:
            found, rows = self._separately(roots, parameters, retain_graph)
        else:
            found, rows = self._one_by_one(list(losses), parameters)
        used = [False] * len(parameters) if found is None else list(found.used)
        if not is_separable:
            used = [a or b for a, b in zip(used, self._used_directly, strict=True)]
        objectives = [rows(rank) for rank in range(self._processes.size)]
        part = self._exchange.slice_of_all(found, objectives, len(losses), parameters)
        total = torch.stack([root.detach().double().sum() for root in roots]).sum()
        size = sum(p.numel() for p in parameters)
        return SlicedGradients(part, size, used, total, self._processes)

    def backward(self, loss: Tensor, parameters: Sequence[Tensor]) -> None:
        """See :meth:`Pass.backward`.

        The gradient of the loss by parameters that it has as direct arguments is the same on all
        processes. The gradient through the outputs is the sum over the processes.
        """
        self._output.grad = None
        loss.backward(retain_graph=True)
        output_gradients, self._output.grad = self._output.grad, None
        if output_gradients is None:
            return
        found: Sequence[Tensor | None] = [None] * len(parameters)
        if self._made is not None:
            terms = [
                _product(output, output_gradients[share.start : share.stop])
                for output, share in zip(self._made.outputs, self._own, strict=True)
            ]
            total = torch.stack(terms).sum()
            found = torch.autograd.grad(total, parameters, retain_graph=True, allow_unused=True)
        used = parameters[0].new_tensor([float(each is not None) for each in found])
        summed = self._processes.sum(torch.cat([flattened(found, parameters), used]), "extensions")
        lengths = [p.numel() for p in parameters]
        *pieces, used = summed.split([*lengths, len(parameters)])
        for parameter, piece, count in zip(parameters, pieces, used.tolist(), strict=True):
            if count > 0.0:
                more = piece.view_as(parameter)
                parameter.grad = more if parameter.grad is None else parameter.grad + more

    @property
    def _own(self) -> Sequence[Share]:
        return self._shares[self._processes.rank]

    def _separately(
        self, roots: Sequence[Tensor], parameters: Sequence[Tensor], retain_graph: bool
    ) -> tuple[ObjectiveGradients | None, Callable[[int], list[int]]]:
        """Gradients of losses of which each depends on the outputs of its own objective alone."""
        roots = [root for root in roots if root.requires_grad]
        output_gradients: Tensor | None = None
        if roots:
            ones = [torch.ones_like(root) for root in roots]
            (output_gradients,) = torch.autograd.grad(
                roots, [self.joined], ones, retain_graph=retain_graph, allow_unused=True
            )
        output_gradients = (
            torch.zeros_like(self.joined) if output_gradients is None else output_gradients
        )
        found = None
        if self._made is not None:
            found = self._made.gradients(
                [
                    _product(output, output_gradients[share.start : share.stop])
                    for output, share in zip(self._made.outputs, self._own, strict=True)
                ],
                parameters,
                retain_graph=retain_graph,
                separable=True,
            )
        return found, lambda rank: [share.objective for share in self._shares[rank]]

    def _one_by_one(
        self, losses: Sequence[Tensor], parameters: Sequence[Tensor]
    ) -> tuple[ObjectiveGradients | None, Callable[[int], list[int]]]:
        """Gradients of losses that depend on the outputs of several objectives, or on parameters.

        Each process has a part of the gradient of every loss. What a loss owes to parameters
        directly is the same on all processes and counts on the first one with samples.
        """
        products: list[Tensor] = []
        direct: list[Tensor | None] = []
        self._used_directly = [False] * len(parameters)
        for loss in losses:
            output_gradient: Tensor | None = None
            by_parameters: Sequence[Tensor | None] = [None] * len(parameters)
            if loss.requires_grad:
                output_gradient, *by_parameters = torch.autograd.grad(
                    loss, [self.joined, *parameters], retain_graph=True, allow_unused=True
                )
            is_direct = [each is not None for each in by_parameters]
            self._used_directly = [
                a or b for a, b in zip(self._used_directly, is_direct, strict=True)
            ]
            direct.append(flattened(by_parameters, parameters) if any(is_direct) else None)
            if self._made is not None:
                output_gradients = (
                    torch.zeros_like(self.joined) if output_gradient is None else output_gradient
                )
                terms = [
                    _product(output, output_gradients[share.start : share.stop])
                    for output, share in zip(self._made.outputs, self._own, strict=True)
                ]
                products.append(torch.stack(terms).sum())
        n, found = len(losses), None
        if self._made is not None:
            # Products of several objectives share the graphs.
            found = self._made.gradients(products, parameters, retain_graph=True)
        has_samples = [bool(own) for own in self._shares]
        if found is not None and self._processes.rank == has_samples.index(True):
            for k, more in enumerate(direct):
                if more is not None:
                    found.rows[k].add_(more)
        return found, lambda rank: list(range(n)) if has_samples[rank] else []


def _product(output: Tensor, output_gradients: Tensor) -> Tensor:
    """Inner product; its gradient by the parameters is that of a loss with these gradients."""
    return (output * output_gradients).sum()
