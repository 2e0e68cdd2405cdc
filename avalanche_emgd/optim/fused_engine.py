"""One forward and one backward pass for all objectives."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .autograd_graph import loss_is_separable, shape_of, uses_parameters
from .engine import GradientEngine, Losses, PlainEngine
from .fused_check import Comparison, UntrustedError, line_of
from .joined import Joined, has_rows, join, versions_of
from .layer_calls import LayerCalls
from .layer_rules import is_known
from .model_state import (
    ForwardState,
    modules_of,
    same_structure,
    structure_of,
    unfit_for_fusing,
)
from .objective_gradients import ObjectiveGradients, StackedGradients

__all__ = ["FusedEngine"]

Batch = TypeVar("Batch")


class FusedEngine(GradientEngine):
    """Forwards the concatenated batches once and goes backward once, where that is the same.

    The gradients of each objective's own samples follow from the inputs of each layer and from the
    gradients of the losses by its outputs: for a linear layer Gᵀ A, with the objective's rows of
    both. That is the arithmetic of one pass over the concatenation, without n times the overhead of
    passes: it pays where batches are small or objectives many.

    A single objective takes one ordinary pass. Several are fused only while all of this holds, and
    take separate passes (:class:`PlainEngine`) otherwise; :attr:`reason` then says why:

    * every trained parameter belongs to a layer with a rule, and nothing that is known of the model
      speaks against it (:func:`unfit_for_fusing`);
    * in the autograd graph of this tick, each of them acts through recorded calls of its layer
      alone, and inputs of these calls have not been modified since;
    * the forward pass draws no random numbers and writes to no parameter, buffer or attribute, nor
      to its batch, nor into a list or dictionary that a module holds;
    * a comparison with separate passes has seen a graph of this shape, with gradients of every
      layer that were not zero, and they were equal but for rounding;
    * comparisons have seen gradients by the same parameters, as many samples in all, and as few of
      one objective.

    Comparisons are made at ticks 1, 2, 4, 8 ... with several objectives, where there are more or
    fewer samples than ever, and begin anew after each change of the model: of modules, modes,
    attributes, hooks, parameters or the shape of its graph. A tick that is compared takes the
    results of its separate passes.

    What no comparison can see is a change of what a forward pass computes that shows in none of
    these, and comes after a comparison: such as a global variable that makes it mix samples, or a
    choice by the values of the whole batch, such as its mean or its first task label.

    :param module: that the batches are forwarded through; the one of the strategy, if omitted.
    :param lean: never hold the gradients of linear layers, at the price of products of all pairs of
        samples. If omitted, the engine does so only where it is faster: with few samples.
    """

    def __init__(self, module: nn.Module | None = None, *, lean: bool = False) -> None:
        self.lean = lean
        self._plain = PlainEngine()
        self._calls = LayerCalls()
        self._module: nn.Module | None = None
        self._structure: list[Any] = []
        self._layers: list[nn.Module] = []
        self._state: ForwardState | None = None
        self._is_refused = True
        self._ticks = 0
        self._seen: dict[tuple[Any, ...], list[bool]] = {}
        self._fewest, self._most = sys.maxsize, -1  # samples that have been compared
        self._parameters: list[Tensor] = []  # by which gradients have been compared
        self._has_forwarded = False
        self._comparison: Comparison | None = None
        self._outputs, self._version = Joined(torch.empty(0), []), 0
        self.reason: str | None = "it has no model yet"
        """Why passes are not fused; ``None`` if they are."""
        if module is not None:
            self.attach(module)

    def __getstate__(self) -> dict[str, Any]:
        """State without the tensors of a tick."""
        empty = {"_outputs": Joined(torch.empty(0), []), "joined": None}
        return {**vars(self), **empty, "_comparison": None, "_state": None}

    def attach(self, module: nn.Module) -> None:
        """See :meth:`GradientEngine.attach`."""
        if module is not self._module:
            self._module, self._structure = module, []
        self._examine()

    def _examine(self) -> None:
        """Begin anew if the model has changed."""
        if self._module is None:
            return
        structure = structure_of(self._module)
        if not same_structure(structure, self._structure):
            self._structure, self._ticks, self._seen = structure, 0, {}
            self._fewest, self._most = sys.maxsize, -1
            self._layers = [each for each in modules_of(self._module) if is_known(each)]
            self.reason, self._state = unfit_for_fusing(self._module), None
            self._is_refused = self.reason is not None

    def is_separate(self) -> bool:
        """See :meth:`GradientEngine.is_separate`: whether the next tick makes separate passes only.

        That is as of the last pass: a change of the model is noticed by the next one.
        """
        return self._is_refused or (self.reason is not None and not self._is_due(self._ticks + 1))

    @staticmethod
    def _is_due(tick: int) -> bool:
        """Whether a comparison is made at a tick, counted from 1: at powers of two."""
        return tick & (tick - 1) == 0

    # Forward

    def forward(
        self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]
    ) -> Sequence[Tensor]:
        """See :meth:`GradientEngine.forward`.

        :param batches: tensors ``[b, ...]``, or tuples of such; those of a
            ``avalanche_emgd.optim.joined.Joined`` are not copied. Others take separate
            passes, as do tensors that differ in more than their first dimension.
        """
        self.release()
        self._examine()
        self._has_forwarded = True
        if len(batches) < 2:
            return self._plain.forward(model, batches)
        is_separate, self._ticks = self.is_separate(), self._ticks + 1
        if is_separate:
            return self._plain.forward(model, batches)
        whole = join(batches)
        if whole is None:
            self.reason = "its batches cannot be put one after the other"
            return self._plain.forward(model, batches)
        sizes = whole.sizes
        is_due = self.reason is not None or self._is_due(self._ticks)
        is_due = is_due or min(sizes) < self._fewest or sum(sizes) > self._most
        joined = None if is_due else self._joint_pass(model, whole)
        if joined is None:
            return self._compared(model, batches, whole)
        self.joined, self._outputs = joined, Joined(joined, whole.sizes)
        self._version = joined._version
        return self._outputs

    def _compared(
        self, model: Callable[[Batch], Tensor], batches: Sequence[Batch], whole: Joined
    ) -> Sequence[Tensor]:
        """Make separate passes, to be compared when the losses are known."""
        assert self._module is not None
        state = ForwardState(self._module, self._structure, thorough=True)
        before, versions = state.statistics.copies(), versions_of(batches)
        outputs = self._plain.forward(model, batches)
        self.reason = state.written()
        if self.reason is None and versions_of(batches) != versions:
            self.reason = "its forward pass modifies its batch"
        if self.reason is None and not all(map(has_rows, outputs)):
            self.reason = "its outputs are not one for each sample"
        self._is_refused = self.reason is not None
        if not self._is_refused:
            self.reason = state.filled()  # which a cache does only once
        if self.reason is None:
            self._comparison = Comparison(self._module, model, whole, outputs, before)
        return outputs

    def _joint_pass(self, model: Callable[[Any], Tensor], batches: Joined) -> Tensor | None:
        """Forward all objectives at once; ``None`` if this tick is not like those compared."""
        assert self._module is not None
        if self._state is None:  # the first after a change, or after copying
            self._state = ForwardState(self._module, self._structure)
        state = self._state
        state.save()
        try:
            joined = self._calls.record(model, batches.whole, self._layers, batches.sizes)
            trusted = (
                state.written() is None
                and len(joined) == sum(batches.sizes)
                and self._calls.unlike(len(joined)) is None
                and joined.requires_grad
                and all(self._seen.get(shape_of(joined, self._calls.calls), [False]))
            )
        except Exception:  # of shapes or memory, say; separate passes say whether it is one
            trusted = False
        if trusted:
            return joined
        state.restore()
        self._calls.forget()
        return None

    # Gradients

    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        retain_graph: bool = False,
        *,
        separable: bool = False,
    ) -> ObjectiveGradients:
        """See :meth:`GradientEngine.gradients`."""
        if self.joined is not None:
            found = self._fused(losses, parameters, retain_graph, separable)
        elif self._comparison is not None:
            found = self._checked(losses, parameters, retain_graph)
        else:
            if not self._has_forwarded:  # losses are forwarded when they are asked for
                self._examine()
                self._ticks += len(losses) > 1
            found = self._plain.gradients(losses, parameters, retain_graph)
            self.used = self._plain.used
            if self._is_refused and self._module is not None:
                # What the passes themselves have written is no change.
                self._structure = structure_of(self._module)
        if not retain_graph:
            self.release()
        return found

    def release(self) -> None:
        """See :meth:`GradientEngine.release`."""
        self._calls.forget()
        self.joined, self._comparison, self._has_forwarded = None, None, False
        self._outputs = Joined(torch.empty(0), [])

    def _fused(
        self, losses: Losses, parameters: Sequence[Tensor], retain_graph: bool, separable: bool
    ) -> ObjectiveGradients:
        """Gradients of the joint pass."""
        assert self.joined is not None
        roots = [losses] if isinstance(losses, Tensor) else list(losses)
        are_compared = self._are_compared(parameters)
        if not are_compared:
            self._ticks, self._seen = 0, {}  # the next tick is compared
        if not (are_compared and self._can_be_fused(roots, parameters, separable)):
            # The joint graph is right for each loss by itself, whatever it depends on.
            found = self._plain.gradients(list(losses), parameters, retain_graph=True)
            self.used = self._plain.used
            return found
        roots = [root for root in roots if root.requires_grad]
        slopes = torch.autograd.grad(
            roots,
            self._calls.edges(),
            [torch.ones_like(root) for root in roots],
            retain_graph=retain_graph,
            allow_unused=True,
        )
        sizes = self._outputs.sizes
        found, self.used = self._calls.gradients(slopes, sizes, parameters, self.lean)
        return found

    def _are_compared(self, parameters: Sequence[Tensor]) -> bool:
        """Whether comparisons have been made with gradients by these very parameters."""
        return len(parameters) == len(self._parameters) and all(
            map(operator.is_, parameters, self._parameters)
        )

    def _can_be_fused(
        self, roots: Sequence[Tensor], parameters: Sequence[Tensor], separable: bool
    ) -> bool:
        """Whether losses are functions of each objective's own outputs, and nothing else."""
        assert self.joined is not None
        if self._calls.modified() or self.joined._version != self._version:
            return False
        if not any(root.requires_grad for root in roots):
            return False
        if separable:
            return True
        if uses_parameters(roots, parameters, self.joined):
            return False
        if len(roots) != len(self._outputs):
            return False
        sizes = self._outputs.sizes
        return all(loss_is_separable(loss, k, self.joined, sizes) for k, loss in enumerate(roots))

    def _checked(
        self, losses: Losses, parameters: Sequence[Tensor], retain_graph: bool
    ) -> ObjectiveGradients:
        """Gradients of separate passes; the joint pass of the same tick is compared with them."""
        comparison, self._comparison = self._comparison, None
        assert comparison is not None
        if len(losses) != len(comparison.outputs):
            self.reason = "its losses are not one for each objective"
            found = self._plain.gradients(losses, parameters, retain_graph)
            self.used = self._plain.used
            return found
        rows, slopes = self._plain.differentiate(
            list(losses), parameters, retain_graph, comparison.outputs
        )
        self.used = self._plain.used
        try:
            shape, seen = comparison.check(slopes, rows, parameters, self._layers, self.lean)
        except Exception as error:  # separate passes have gone well
            self._is_refused = True
            self.reason = (
                str(error)
                if isinstance(error, UntrustedError)
                else f"a joint pass cannot be compared: {type(error).__name__}: {line_of(error)}"
            )
            return StackedGradients(rows)
        if not self._are_compared(parameters):
            self._parameters, self._seen = list(parameters), {}
        sizes = comparison.batches.sizes
        self._fewest, self._most = min(self._fewest, *sizes), max(self._most, sum(sizes))
        before = self._seen.get(shape, [False] * len(seen))
        self._seen[shape] = [a or b for a, b in zip(before, seen, strict=True)]
        is_whole = all(self._seen[shape])
        self.reason = None if is_whole else "some layers have had no gradient to compare yet"
        return StackedGradients(rows)
