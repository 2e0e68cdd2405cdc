"""What goes into the layers of a model and what comes back to them, and the gradients of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from .gradient_layout import GradientLayout
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


class LayerCalls:
    """Calls of the layers with rules in one forward pass, and what follows from them."""

    def __init__(self) -> None:
        self.calls: list[LayerCall] = []
        """In the order of the pass."""
        self._unusable: str | None = None
        self._layout: GradientLayout | None = None
        self._key: Any = None
        self._involved: list[Any] = []

    def __getstate__(self) -> dict[str, Any]:
        """State without the tensors of a tick and the memory that is written at each."""
        return {"calls": [], "_unusable": None, "_layout": None, "_key": None, "_involved": []}

    def record(
        self, model: Callable[[Batch], Tensor], batch: Batch, layers: Sequence[nn.Module]
    ) -> Tensor:
        """Forward a batch; the calls of layers take the place of earlier ones.

        :param layers: with rules, without hooks of the user's.
        """
        self.forget()
        # As `register_forward_hook` does, in a third of its time: this is in every tick.
        for layer in layers:
            layer._forward_hooks[_HOOK] = self._record
            layer._forward_hooks_with_kwargs[_HOOK] = True
        try:
            return model(batch)
        finally:
            for layer in layers:
                layer._forward_hooks.pop(_HOOK, None)
                layer._forward_hooks_with_kwargs.pop(_HOOK, None)

    def _record(
        self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        if torch.compiler.is_compiling():
            return  # a compiled part is no recorded call, which the graph then shows
        inputs: Any = args[0] if args else kwargs.get("input")
        if not (_is_plain(inputs) and _is_plain(output)):
            self._unusable = type(layer).__name__
        elif output.requires_grad:
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
                )
            )

    def forget(self) -> None:
        """Let go of the tensors."""
        self.calls, self._unusable = [], None

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
        """Where gradients by the outputs of calls are found."""
        return [GradientEdge(call.node, call.output_nr) for call in self.calls]

    def gradients(
        self,
        slopes: Sequence[Tensor | None],
        sizes: Sequence[int],
        parameters: Sequence[Tensor],
        lean: bool,
    ) -> tuple[LayerwiseGradients, list[bool]]:
        """Gradients of all objectives.

        :param slopes: what came back to each call's output; ``None`` where nothing did.
        :param sizes: samples of each objective.
        :param parameters: with P elements in all.
        :param lean: whether outer products are kept wherever possible.
        :return: the gradients, and for each parameter whether a call has used it.
        """
        like = parameters[0]
        returned = [
            (call.layer, _as(call.inputs, like), _as(slope, like))
            for call, slope in zip(self.calls, slopes, strict=True)
            if slope is not None
        ]
        layout = self._layout_for(returned, sizes, parameters, lean)
        for call, write in layout.steps:
            _, inputs, slope = returned[call]
            write(inputs, slope, sizes)
        for piece in layout.unused:
            piece.zero_()
        outer = [OuterProducts(start, *returned[call][1:]) for call, start in layout.outer]
        found = LayerwiseGradients(sizes, outer, layout.laid_out, layout.size, like)
        return found, layout.used

    def _layout_for(
        self,
        returned: Sequence[tuple[nn.Module, Tensor, Tensor]],
        sizes: Sequence[int],
        parameters: Sequence[Tensor],
        lean: bool,
    ) -> GradientLayout:
        """Give the layout of the last tick, unless something is different."""
        like, n = parameters[0], len(sizes)
        layers = [layer for layer, *_ in returned]
        shapes = [(inputs.shape[0], inputs.ndim) for _, inputs, _ in returned]
        own = [p for layer in layers for p in layer._parameters.values()]
        involved = [*layers, *own, *parameters]
        key = (n, lean, shapes, like.dtype, like.device, list(map(id, involved)))
        if self._layout is None or key != self._key:
            products = [
                type(layer) is nn.Linear
                and inputs.ndim == 2
                and (lean or _is_worth_it(inputs, slope, n))
                for layer, inputs, slope in returned
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
