"""What goes into the layers of a model and what comes back to them, and the gradients of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor, nn

from .gradient_layout import GradientLayout
from .layerwise_gradients import LayerwiseGradients, OuterProducts
from .objective_gradients import ObjectiveGradients

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
    :param output: ``[N, ...]``, in the graph.
    """

    layer: nn.Module
    inputs: Tensor
    output: Tensor


class LayerCalls:
    """Calls of the layers with rules in one forward pass, and what follows from them."""

    def __init__(self) -> None:
        self.calls: list[LayerCall] = []
        """In the order of the pass."""
        self._layout: GradientLayout | None = None
        self._key: Any = None
        self._involved: list[Any] = []

    def record(
        self, model: Callable[[Batch], Tensor], batch: Batch, layers: Sequence[nn.Module]
    ) -> Tensor:
        """Forward a batch; the calls of layers take the place of earlier ones.

        :param layers: with rules.
        """
        self.forget()
        # As `register_forward_hook` does, in a third of its time: this is in every tick.
        for layer in layers:
            layer._forward_hooks[_HOOK] = self._record
        try:
            return model(batch)
        finally:
            for layer in layers:
                del layer._forward_hooks[_HOOK]

    def _record(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.requires_grad:
            self.calls.append(LayerCall(layer, inputs[0].detach(), output))

    def forget(self) -> None:
        """Let go of the tensors."""
        self.calls = []

    def unlike(self, size: int) -> str | None:
        """Name the type of a layer whose inputs or outputs are not those of ``size`` samples."""
        for call in self.calls:
            if not call.inputs.shape[0] == call.output.shape[0] == size:
                return type(call.layer).__name__
        return None

    def gradients(
        self,
        slopes: Sequence[Tensor | None],
        sizes: Sequence[int],
        parameters: Sequence[Tensor],
        lean: bool,
    ) -> tuple[ObjectiveGradients, list[bool]]:
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
