"""One forward and one backward pass for all objectives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from .engine import GradientEngine, Losses, PlainEngine
from .flat_gradient import flat_gradient
from .joined import Joined
from .layer_calls import LayerCalls
from .layer_gradients import rule_of
from .objective_gradients import ObjectiveGradients

__all__ = ["FusedEngine", "unfit_for_fusing"]

Batch = TypeVar("Batch")

# Relative, of the first tick's gradients, by what the model computes in.
_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
# How far units at their kinks may lead. They are a few among thousands.
_KINKS = 0.1


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
    (the first tick with several objectives is computed twice, and compared, and so is the first
    after a change of layers or modes) are left to :class:`PlainEngine`; :attr:`reason` says why.

    Losses must depend on the parameters by way of the outputs of :meth:`forward` alone: not of a
    penalty on parameters, nor of another pass.

    :param module: that the batches are forwarded through; the one of the strategy, if omitted.
    :param lean: never hold the gradients of linear layers, at the price of products of all pairs of
        samples. If omitted, the engine does so only where it is faster: with few samples.
    """

    def __init__(self, module: nn.Module | None = None, *, lean: bool = False) -> None:
        self.lean = lean
        self._plain = PlainEngine()
        self._calls = LayerCalls()
        self._module: nn.Module | None = None
        self._verified: Any = None
        self._structure: list[tuple[nn.Module, bool]] = []
        self._layers: list[nn.Module] = []
        self._sizes: list[int] = []
        self._plain_outputs: Sequence[Tensor] | None = None
        self.reason: str | None = "it has no model yet"
        """Why passes are not fused; ``None`` if they are."""
        if module is not None:
            self.attach(module)

    def attach(self, module: nn.Module) -> None:
        """See :meth:`GradientEngine.attach`."""
        if module is not self._module:
            self._module, self._structure = module, []
            self._examine(module)

    def _examine(self, module: nn.Module) -> None:
        """Look at a model again if its layers or their modes have changed."""
        structure = _structure(module)
        if structure != self._structure:
            self._structure, self._verified, self.joined = structure, False, None
            self._layers = [layer for layer, _ in structure if rule_of(layer) is not None]
            self.reason = unfit_for_fusing(module)

    def forward(
        self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]
    ) -> Sequence[Tensor]:
        """See :meth:`GradientEngine.forward`.

        :param batches: tensors ``[b, ...]``, or tuples of such; those of a
            :class:`~avalanche_emgd.optim.joined.Joined` are not copied.
        """
        self._plain_outputs, self.joined = None, None
        if self._module is not None:
            self._examine(self._module)
        if self.is_separate():
            return self._plain.forward(model, batches)
        assert self._module is not None
        whole = _joined(batches)
        self._sizes = whole.sizes
        joined = self._calls.record(model, whole.whole, self._layers)
        strange = self._calls.unlike(sum(self._sizes))
        if strange is not None:
            self.reason = f"{strange} does not see all samples, one by one"
            return self._plain.forward(model, batches)
        outputs = Joined(joined, self._sizes)
        if not self._verified and len(batches) > 1:
            self._plain_outputs = self._plain.forward(model, batches)
            tolerance = self._tolerance()
            if not all(map(_agree, outputs, self._plain_outputs, repeat(tolerance))):
                self.reason = "its outputs differ from those of separate passes"
                return self._plain_outputs
        self.joined = joined
        return outputs

    def is_separate(self) -> bool:
        """See :meth:`GradientEngine.is_separate`: whether :attr:`reason` says so.

        That is as of the last pass: a change of layers is noticed by the next one.
        """
        return self.reason is not None

    def gradients(
        self, losses: Losses, parameters: Sequence[Tensor], retain_graph: bool = False
    ) -> ObjectiveGradients:
        """See :meth:`GradientEngine.gradients`."""
        if self.joined is None or not self.joined.requires_grad:
            found = self._plain.gradients(losses, parameters, retain_graph)
            self.used = self._plain.used
            if self._module is not None:
                self._examine(self._module)  # the next pass may be fused
            return found
        roots = (
            [losses]
            if isinstance(losses, Tensor)
            else [each for each in losses if each.requires_grad]
        )
        slopes = torch.autograd.grad(
            roots,
            [call.output for call in self._calls.calls],
            [torch.ones_like(root) for root in roots],
            retain_graph=retain_graph or self._plain_outputs is not None,
            allow_unused=True,
        )
        gradients, self.used = self._calls.gradients(slopes, self._sizes, parameters, self.lean)
        if self._plain_outputs is not None:
            if not self._verified and not self._is_right(roots, parameters, gradients):
                self.reason = "its gradients differ from those of separate passes"
                # The outputs are right: so are the losses, however they came about.
                gradients = self._plain.gradients(losses, parameters, retain_graph=True)
                self.used, self.joined = self._plain.used, None
            if not retain_graph:
                self._plain_outputs = None
        if not retain_graph:
            self._calls.forget()
        return gradients

    def _is_right(
        self, losses: Sequence[Tensor], parameters: Sequence[Tensor], found: ObjectiveGradients
    ) -> bool:
        """Compare with the gradients of separate passes, which have just been forwarded."""
        assert self.joined is not None and self._plain_outputs is not None  # noqa: PT018
        total = torch.cat([loss.reshape(-1) for loss in losses]).sum()
        (slope,) = torch.autograd.grad(total, self.joined, retain_graph=True)
        # The inner products are losses that have the given slopes at the plain outputs.
        stand_ins = [
            (output * piece).sum()
            for output, piece in zip(self._plain_outputs, slope.split(self._sizes), strict=True)
        ]
        checking = PlainEngine()  # its n gradients go with it
        expected = checking.gradients(stand_ins, parameters, retain_graph=True).rows
        # What the losses owe to other ways than by the outputs is in neither of the two.
        whole = flat_gradient(total, parameters, retain_graph=True)
        tolerance = self._tolerance()

        def is_right(row: Tensor, right: Tensor, output: Tensor, back: Tensor) -> bool:
            if _agree(row, right, tolerance):
                return True
            if not _agree(row, right, _KINKS):
                return False
            # A unit at its kink may be on one side of it in one pass and on the other in another,
            # as they round. Then the gradient must be right for the pass it is of.
            own = flat_gradient((output * back).sum(), parameters, retain_graph=True)
            return _agree(row, own, tolerance)

        rows, outputs = found.rows, self.joined.split(self._sizes)
        self._verified = _agree(rows.sum(0), whole, tolerance) and all(
            map(is_right, rows, expected, outputs, slope.split(self._sizes))
        )
        return bool(self._verified)

    def _tolerance(self) -> float:
        """Of rounding, that of the coarsest layer."""
        kinds = [call.output.dtype for call in self._calls.calls]
        return max((_TOLERANCE.get(kind, 1e-2) for kind in kinds), default=1e-4)


def _structure(module: nn.Module) -> list[tuple[nn.Module, bool]]:
    """All layers and whether they are in training mode, twice as fast as by ``modules()``.

    That puts together their names, and this is in every tick.
    """
    layers, seen = [module], {module}
    for layer in layers:
        for child in layer._modules.values():
            if child is not None and child not in seen:
                seen.add(child)
                layers.append(child)
    return [(layer, layer.training) for layer in layers]


def _agree(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Whether tensors are equal but for ``tolerance``, relative to the length of the second."""
    found, expected = found.detach(), expected.detach()
    return float((found - expected).norm()) <= tolerance * float(expected.norm())


def _length(batch: Any) -> int:
    return len(batch) if isinstance(batch, Tensor) else len(batch[0])


def _joined(batches: Sequence[Any]) -> Joined:
    if isinstance(batches, Joined):
        return batches
    sizes = [_length(batch) for batch in batches]
    if isinstance(batches[0], Tensor):
        return Joined(torch.cat(list(batches)), sizes)
    return Joined(tuple(torch.cat(list(column)) for column in zip(*batches, strict=True)), sizes)
