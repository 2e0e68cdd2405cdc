"""What goes into the layers of a model and what comes back to them, and the gradients of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

from torch import Tensor, nn

from .engine import reusable_rows
from .layer_gradients import rule_of, write_rows
from .layerwise_gradients import LayerwiseGradients, OuterProducts
from .objective_gradients import ObjectiveGradients, StackedGradients

__all__ = ["LayerCall", "LayerCalls"]

# Outer products are kept as they are if N² (in + out) is at most this many times n · in · out:
# about where products of pairs of samples become dearer than gradients that are written and read.
_WORTH_IT = 12


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
        self._rows: Tensor | None = None

    @contextmanager
    def recorded(self, layers: Iterable[nn.Module]) -> Iterator[None]:
        """Record all calls of layers with rules within, in place of earlier ones."""
        self.forget()
        handles = [
            layer.register_forward_hook(self._record)
            for layer in layers
            if rule_of(layer) is not None
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _record(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.requires_grad:
            self.calls.append(LayerCall(layer, inputs[0].detach(), output))

    def forget(self) -> None:
        """Let go of the tensors."""
        self.calls = []

    def unlike(self, size: int) -> str | None:
        """Name the type of a layer whose inputs or outputs are not those of ``size`` samples."""
        for call in self.calls:
            if not len(call.inputs) == len(call.output) == size:
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
        places = {id(p): k for k, p in enumerate(parameters)}
        lengths = [p.numel() for p in parameters]
        starts = list(accumulate([0, *lengths]))
        returned = [
            (call.layer, _as(call.inputs, parameters[0]), _as(slope, parameters[0]))
            for call, slope in zip(self.calls, slopes, strict=True)
            if slope is not None
        ]
        times = Counter(id(p) for layer, *_ in returned for p in layer._parameters.values())
        outer: dict[int, OuterProducts] = {}
        for layer, inputs, slope in returned:
            if type(layer) is nn.Linear and inputs.ndim == 2 and times[id(layer.weight)] == 1:
                place = places.get(id(layer.weight))
                if place is not None and (lean or _is_worth_it(inputs, slope, len(sizes))):
                    outer[place] = OuterProducts(starts[place], inputs, slope)
        dense = [place for place in range(len(parameters)) if place not in outer]
        rows = self._buffer(len(sizes), sum(lengths[place] for place in dense), parameters[0])
        pieces = dict(zip(dense, rows.split([lengths[k] for k in dense], dim=1), strict=True))
        used = [place in outer for place in range(len(parameters))]
        for layer, inputs, slope in returned:
            own = {name: places.get(id(p), -1) for name, p in layer._parameters.items()}
            known = {name: k for name, k in own.items() if k in pieces}
            for add in (False, True):  # the second call of a layer adds to what the first has left
                targets = {name: pieces[k] for name, k in known.items() if used[k] is add}
                write_rows(layer, inputs, slope, sizes, targets, add)
            for k in known.values():
                used[k] = True
        for place, piece in pieces.items():
            if not used[place]:
                piece.zero_()
        if not outer:
            return StackedGradients(rows), used
        spans = [(starts[place], lengths[place]) for place in dense]
        return LayerwiseGradients(sizes, list(outer.values()), rows, spans, starts[-1]), used

    def _buffer(self, n: int, size: int, like: Tensor) -> Tensor:
        self._rows = reusable_rows(self._rows, n, size, like)
        return self._rows[:n]


def _as(tensor: Tensor, like: Tensor) -> Tensor:
    """In the precision of the parameters; whole numbers, such as those of words, as they are."""
    return tensor.to(like.dtype) if tensor.is_floating_point() else tensor


def _is_worth_it(inputs: Tensor, slopes: Tensor, n: int) -> bool:
    samples, wide, high = len(inputs), inputs.shape[1], slopes.shape[1]
    return samples * samples * (wide + high) <= _WORTH_IT * n * wide * high
