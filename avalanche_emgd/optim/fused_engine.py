"""One forward and one backward pass for all objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from .engine import GradientEngine, PlainEngine, reusable_rows
from .layer_gradients import GradientRule, rule_of

__all__ = ["FusedEngine", "unfit_for_fusing"]

Batch = TypeVar("Batch")

_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}  # relative, of the first tick's gradients


def unfit_for_fusing(module: nn.Module) -> str | None:
    """Say why a model cannot be fused; ``None`` if it can.

    Every parameter must belong to a layer that has a rule
    (:func:`~avalanche_emgd.optim.layer_gradients.gradient_rule`), and nothing may be random or mix
    samples, as far as types of layers tell.

    :param module: the model, in the mode in which it is trained.
    """
    for name, layer in module.named_modules():
        own = any(True for _ in layer.parameters(recurse=False))
        if own and rule_of(layer) is None:
            return f"there is no gradient rule for {type(layer).__name__} ({name or 'the model'})"
        if isinstance(layer, _DropoutNd) and layer.training and layer.p > 0.0:
            return f"{type(layer).__name__} ({name}) is random"
    return None


class FusedEngine(GradientEngine):
    """Forwards the concatenated batches once and goes backward once.

    The gradients of each objective's own samples come from what went into each layer and what came
    back: for a linear layer Gᵀ A, with the objective's rows of both. That is the arithmetic of one
    pass over the concatenation, without n times the overhead of passes: it pays where batches are
    small or objectives many.

    A model whose layers mix samples (batch norm in training mode) would be another model when
    fused. Such models, models with layers that have no rule and models that the engine gets wrong
    (the first tick with several objectives is computed twice, and compared) are left to
    :class:`PlainEngine`; :attr:`reason` says why.

    :param module: that the batches are forwarded through; the one of the strategy, if omitted.
    """

    def __init__(self, module: nn.Module | None = None) -> None:
        self._plain = PlainEngine()
        self._rows: Tensor | None = None
        self._module: nn.Module | None = None
        self._verified = False
        self._calls: list[tuple[nn.Module, GradientRule, Tensor, Tensor]] = []
        self._outputs: list[Tensor] = []
        self._plain_outputs: list[Tensor] | None = None
        self.reason: str | None = "it has no model yet"
        """Why passes are not fused; ``None`` if they are."""
        if module is not None:
            self.attach(module)

    def attach(self, module: nn.Module) -> None:
        """See :meth:`GradientEngine.attach`."""
        if module is not self._module:
            self._module, self._verified = module, False
            self.reason = unfit_for_fusing(module)

    def forward(self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]) -> list[Tensor]:
        """See :meth:`GradientEngine.forward`.

        :param batches: tensors ``[b, ...]``, or tuples of such.
        """
        self._calls, self._plain_outputs = [], None
        if self._module is not None and self.reason is None:
            self.reason = unfit_for_fusing(self._module)  # its mode may have changed
        if self._module is None or self.reason is not None:
            return self._plain.forward(model, batches)
        handles = [
            layer.register_forward_hook(self._keep)
            for layer in self._module.modules()
            if rule_of(layer) is not None
        ]
        try:
            output = model(_joined(batches))
        finally:
            for handle in handles:
                handle.remove()
        self._outputs = list(output.split([_length(batch) for batch in batches]))
        if not self._verified and len(batches) > 1:
            self._plain_outputs = self._plain.forward(model, batches)
            if not _agree(self._outputs, self._plain_outputs):
                self.reason = "its outputs differ from those of separate passes"
                return self._plain_outputs
        return list(self._outputs)

    def _keep(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        rule = rule_of(layer)
        if rule is not None and output.requires_grad:
            self._calls.append((layer, rule, inputs[0].detach(), output))

    def gradients(
        self, losses: Sequence[Tensor], parameters: Sequence[Tensor], retain_graph: bool = False
    ) -> Tensor:
        """See :meth:`GradientEngine.gradients`."""
        if self._module is None or self.reason is not None:
            rows = self._plain.gradients(losses, parameters, retain_graph)
            self.used = self._plain.used
            return rows
        total = torch.stack([loss for loss in losses if loss.requires_grad]).sum()
        plain_outputs, self._plain_outputs = self._plain_outputs, None
        returned = torch.autograd.grad(
            total,
            [output for *_, output in self._calls],
            retain_graph=retain_graph or plain_outputs is not None,
            allow_unused=True,
        )
        rows = self._fill(len(losses), parameters, returned)
        if plain_outputs is not None:
            slopes = torch.autograd.grad(total, self._outputs, retain_graph=retain_graph)
            rows = self._verify(plain_outputs, slopes, parameters, rows)
        self._calls, self._outputs = [], []
        return rows

    def _fill(
        self, n: int, parameters: Sequence[Tensor], returned: Sequence[Tensor | None]
    ) -> Tensor:
        """One row per objective, from what came back to each layer."""
        places, start = {}, 0
        for parameter in parameters:
            places[id(parameter)] = slice(start, start + parameter.numel())
            start += parameter.numel()
        rows = self._buffer(n, start, parameters[0]).zero_()
        sizes, touched = [len(output) for output in self._outputs], set()
        for (layer, rule, inputs, _), gradients in zip(self._calls, returned, strict=True):
            if gradients is None:
                continue
            own = {name: id(p) for name, p in layer.named_parameters(recurse=False)}
            pieces = zip(inputs.split(sizes), gradients.split(sizes), strict=True)
            for row, (into, back) in zip(rows, pieces, strict=True):
                for name, found in rule(layer, into, back).items():
                    if own.get(name) in places:
                        row[places[own[name]]].add_(found.reshape(-1))
                        touched.add(own[name])
        self.used = [id(parameter) in touched for parameter in parameters]
        return rows

    def _verify(
        self,
        outputs: Sequence[Tensor],
        slopes: Sequence[Tensor],
        parameters: Sequence[Tensor],
        rows: Tensor,
    ) -> Tensor:
        """Compare with separate passes; the right rows."""
        # The inner products are losses that have the given slopes at the plain outputs.
        stand_ins = [(o * slope).sum() for o, slope in zip(outputs, slopes, strict=True)]
        expected = self._plain.gradients(stand_ins, parameters)
        if _agree(rows, expected):
            self._verified = True
            return rows
        self.reason = "its gradients differ from those of separate passes"
        self.used = self._plain.used
        return expected

    def _buffer(self, n: int, size: int, like: Tensor) -> Tensor:
        self._rows = reusable_rows(self._rows, n, size, like)
        return self._rows[:n]


def _agree(found: Iterable[Tensor], expected: Iterable[Tensor]) -> bool:
    """Whether tensors are equal but for rounding."""
    return all(
        float((a - b).detach().norm()) <= _TOLERANCE.get(b.dtype, 1e-2) * float(b.detach().norm())
        for a, b in zip(found, expected, strict=True)
    )


def _length(batch: Any) -> int:
    return len(batch) if isinstance(batch, Tensor) else len(batch[0])


def _joined(batches: Sequence[Any]) -> Any:
    if isinstance(batches[0], Tensor):
        return torch.cat(list(batches))
    return tuple(torch.cat(list(column)) for column in zip(*batches, strict=True))
