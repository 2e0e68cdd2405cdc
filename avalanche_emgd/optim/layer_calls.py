"""What goes into the layers of a model and what comes back to them, and the gradients of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from .batch_norm import is_batch_norm, normalised_by_objective, tracks
from .gradient_layout import GradientLayout
from .layer_gradients import Returned
from .layerwise_gradients import LayerwiseGradients, OuterProducts

__all__ = ["LayerCall", "LayerCalls"]

Batch = TypeVar("Batch")

# Outer products are kept as they are if N² (in + out) is at most this many times n · in · out:
# about where products of pairs of samples become dearer than gradients that are written and read.
_WORTH_IT = 12
_HOOK = -1  # those of torch's handles are numbered from zero


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer.

    :param layer: that was called.
    :param inputs: ``[N, ...]``, detached.
    :param version: of the inputs at the call: modifications in place count it up.
    :param node: of the output in the autograd graph. It stays when the output is modified in place.
    :param output_nr: number of the output among those of its node.
    :param input_node: of the inputs in the graph; ``None`` if they are not in it.
    :param input_nr: number of the inputs among the outputs of their node.
    :param samples: length of the output.
    :param dtype: of the output.
    :param own: by name, where the graph has gradients ``[n, ...]`` by the layer's parameters, one
        of each objective; empty for layers with rules.
    """

    layer: nn.Module
    inputs: Tensor
    version: int
    node: Any
    output_nr: int
    input_node: Any
    input_nr: int
    samples: int
    dtype: torch.dtype
    own: dict[str, GradientEdge]


class LayerCalls:
    """Calls of the layers with rules in one forward pass, and what follows from them."""

    def __init__(self) -> None:
        self.calls: list[LayerCall] = []
        """In the order of the pass."""
        self._unusable: str | None = None
        self._tracked: set[int] = set()
        self._layout: GradientLayout | None = None
        self._key: Any = None
        self._involved: list[Any] = []

    def __getstate__(self) -> dict[str, Any]:
        """State without the tensors of a tick and the memory that is written at each."""
        empty: dict[str, Any] = {"_unusable": None, "_layout": None, "_key": None}
        return {"calls": [], "_tracked": set(), "_involved": [], **empty}

    def record(
        self,
        model: Callable[[Batch], Tensor],
        batch: Batch,
        layers: Sequence[nn.Module],
        sizes: Sequence[int],
    ) -> Tensor:
        """Forward a batch; the calls of layers take the place of earlier ones.

        Batch norms normalise the samples of each objective by themselves.

        :param layers: known ones (:func:`~.layer_rules.is_known`), without hooks of the user's.
        :param sizes: samples of each objective.
        """
        self.forget()
        norms = [layer for layer in layers if is_batch_norm(layer)]
        # As `register_forward_hook` does, in a third of its time: this is in every tick.
        hooked = [layer for layer in layers if not is_batch_norm(layer)]
        for layer in hooked:
            layer._forward_hooks[_HOOK] = self._record
            layer._forward_hooks_with_kwargs[_HOOK] = True
        for layer in norms:
            # In the place of the method, and past `__setattr__`, for the same reason.
            layer.__dict__["forward"] = partial(self._normalise, layer, sizes)
        try:
            return model(batch)
        finally:
            for layer in hooked:
                layer._forward_hooks.pop(_HOOK, None)
                layer._forward_hooks_with_kwargs.pop(_HOOK, None)
            for layer in norms:
                layer.__dict__.pop("forward", None)

    def _normalise(self, layer: nn.Module, sizes: Sequence[int], input: Tensor) -> Tensor:
        """Take the place of a batch norm's ``forward``."""
        is_like = _is_plain(input) and input.ndim > 1 and len(input) == sum(sizes)
        if not is_like or torch.compiler.is_compiling():
            self._unusable = type(layer).__name__
            return cast(Tensor, type(layer).forward(layer, input))
        if tracks(layer):
            # Separate passes would take all calls of one objective before those of the next.
            known = {id(b) for b in layer._buffers.values() if b is not None}
            if not known.isdisjoint(self._tracked):
                self._unusable = type(layer).__name__
            self._tracked |= known
        output, own = normalised_by_objective(layer, input, sizes)
        self._note(layer, input, output, own)
        return output

    def _record(
        self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        if torch.compiler.is_compiling():
            return  # a compiled part is no recorded call, which the graph then shows
        inputs: Any = args[0] if args else kwargs.get("input")
        if not (_is_plain(inputs) and _is_plain(output)):
            self._unusable = type(layer).__name__
        else:
            self._note(layer, inputs, output, {})

    def _note(
        self, layer: nn.Module, inputs: Tensor, output: Tensor, own: dict[str, GradientEdge]
    ) -> None:
        if not output.requires_grad:
            return
        node, number = inputs.grad_fn, inputs.output_nr
        if node is None and inputs.requires_grad:  # a leaf
            node, number = get_gradient_edge(inputs)[:2]
        kept = inputs.detach()
        self.calls.append(
            LayerCall(
                layer,
                kept,
                kept._version,
                output.grad_fn,
                output.output_nr,
                node,
                number,
                output.shape[0] if output.ndim else -1,
                output.dtype,
                own,
            )
        )

    def forget(self) -> None:
        """Let go of the tensors."""
        self.calls, self._unusable, self._tracked = [], None, set()

    def unlike(self, size: int) -> str | None:
        """Name the type of a layer whose inputs or outputs are not those of ``size`` samples."""
        if self._unusable is not None:
            return self._unusable
        for call in self.calls:
            if call.inputs.ndim == 0 or not call.inputs.shape[0] == call.samples == size:
                return type(call.layer).__name__
        return None

    def modified(self) -> bool:
        """Whether inputs have been modified since their layers were called."""
        return any(call.inputs._version != call.version for call in self.calls)

    def edges(self) -> list[GradientEdge]:
        """Where gradients by the outputs of calls are found, and after them those of ``own``."""
        outputs = [GradientEdge(call.node, call.output_nr) for call in self.calls]
        return outputs + [edge for call in self.calls for edge in call.own.values()]

    @torch.no_grad()
    def gradients(
        self,
        slopes: Sequence[Tensor | None],
        sizes: Sequence[int],
        parameters: Sequence[Tensor],
        lean: bool,
    ) -> tuple[LayerwiseGradients, list[bool]]:
        """Gradients of all objectives.

        :param slopes: gradients by :meth:`edges`; ``None`` where there are none.
        :param sizes: samples of each objective.
        :param parameters: with P elements in all.
        :param lean: whether outer products are kept wherever possible.
        :return: the gradients, and for each parameter whether a call has used it.
        """
        like = parameters[0]
        own = iter(slopes[len(self.calls) :])
        returned = []
        for call, slope in zip(self.calls, slopes, strict=False):
            rows = {name: next(own) for name in call.own}
            if slope is not None:
                given = {name: _as(row, like) for name, row in rows.items() if row is not None}
                inputs = _as(call.inputs, like)
                returned.append(Returned(call.layer, inputs, _as(slope, like), given))
        layout = self._layout_for(returned, sizes, parameters, lean)
        for position, write in layout.steps:
            write(returned[position], sizes)
        for piece in layout.unused:
            piece.zero_()
        outer = [
            OuterProducts(start, returned[position].inputs, returned[position].backprops)
            for position, start in layout.outer
        ]
        found = LayerwiseGradients(sizes, outer, layout.laid_out, layout.size, like)
        return found, layout.used

    def _layout_for(
        self,
        returned: Sequence[Returned],
        sizes: Sequence[int],
        parameters: Sequence[Tensor],
        lean: bool,
    ) -> GradientLayout:
        """Give the layout of the last tick, unless something is different."""
        like, n = parameters[0], len(sizes)
        layers = [each.layer for each in returned]
        shapes = [(each.inputs.shape[0], each.inputs.ndim) for each in returned]
        own = [p for layer in layers for p in layer._parameters.values()]
        involved = [*layers, *own, *parameters]
        key = (n, lean, shapes, like.dtype, like.device, list(map(id, involved)))
        if self._layout is None or key != self._key:
            products = [
                type(each.layer) is nn.Linear
                and each.inputs.ndim == 2
                and (lean or _is_worth_it(each.inputs, each.backprops, n))
                for each in returned
            ]
            memory = None if self._layout is None else self._layout.memory
            self._layout = GradientLayout(n, layers, products, parameters, memory)
            # What is involved is kept, lest identities be given to others.
            self._key, self._involved = key, involved
        return self._layout


def _as(tensor: Tensor, like: Tensor) -> Tensor:
    """In the precision of the parameters; whole numbers, such as those of words, as they are."""
    if tensor.dtype == like.dtype or not tensor.is_floating_point():
        return tensor
    return tensor.to(like.dtype)


def _is_worth_it(inputs: Tensor, slopes: Tensor, n: int) -> bool:
    samples, wide, high = len(inputs), inputs.shape[1], slopes.shape[1]
    return samples * samples * (wide + high) <= _WORTH_IT * n * wide * high


def _is_plain(tensor: Any) -> bool:
    """Whether gradients can be computed from it afterwards."""
    return (
        isinstance(tensor, Tensor)
        and not tensor.is_inference()
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )
