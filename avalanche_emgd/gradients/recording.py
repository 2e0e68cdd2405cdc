"""Activations of the layers of a model in one forward pass, and backprops of a backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from .batch_norm import is_batch_norm, normalised_by_objective, tracks
from .rules import has_rule

__all__ = ["LayerCall", "Recording", "record"]

Batch = TypeVar("Batch")

_HOOK = -1  # those of torch's handles are numbered from zero


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer.

    :param layer: layer of the call.
    :param inputs: activations ``[N, ...]``, detached.
    :param version: version of the inputs at the call; modifications in place increase it.
    :param node: node of the output in the autograd graph. It stays when the output is modified in
        place.
    :param output_nr: number of the output among those of its node.
    :param input_node: input node of the inputs in the graph; ``None`` if they are not in it.
    :param input_nr: number of the inputs among the outputs of their node.
    :param samples: length of the output.
    :param dtype: dtype of the output.
    :param own: edges of the graph by name, at which gradients ``[n, ...]`` by the layer's
        parameters are found, one for each objective; empty for layers with rules.
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


class Recording:
    """Forward pass with the recorded calls of known layers.

    :param output: output of the model, ``[N, ...]``, in its graph.
    :param calls: calls in the order of the pass.
    :param unusable: type of a layer whose call cannot be used; ``None`` if there is none.
    """

    def __init__(self, output: Tensor, calls: Sequence[LayerCall], unusable: str | None) -> None:
        self.output = output
        self.calls = calls
        self._unusable = unusable

    def unlike(self, size: int) -> str | None:
        """Name the type of a layer whose inputs or outputs are not ``size`` samples."""
        if self._unusable is not None:
            return self._unusable
        for call in self.calls:
            if call.inputs.ndim == 0 or not call.inputs.shape[0] == call.samples == size:
                return type(call.layer).__name__
        return None

    def is_modified(self) -> bool:
        """Whether inputs have been modified since their layers were called."""
        return any(call.inputs._version != call.version for call in self.calls)

    def backward(
        self, roots: Sequence[Tensor], gradients: Sequence[Tensor], *, retain_graph: bool
    ) -> Iterator[tuple[LayerCall, Tensor | None, dict[str, Tensor]]]:
        """Go backward once; yield each call with its backprops ``[N, ...]`` and own gradients.

        :param roots: tensors that the backward pass begins at: the output, or functions of it.
        :param gradients: gradients by each of them, of its shape.
        :param retain_graph: whether to keep the graph.
        """
        edges = [GradientEdge(call.node, call.output_nr) for call in self.calls]
        edges += [edge for call in self.calls for edge in call.own.values()]
        found = torch.autograd.grad(
            roots, edges, gradients, retain_graph=retain_graph, allow_unused=True
        )
        own = iter(found[len(self.calls) :])
        for call, backprops in zip(self.calls, found, strict=False):
            rows = {name: next(own) for name in call.own}
            yield call, backprops, {name: row for name, row in rows.items() if row is not None}


def record(
    model: Callable[[Batch], Tensor],
    batch: Batch,
    layers: Sequence[nn.Module],
    sizes: Sequence[int],
) -> Recording:
    """Forward a batch and record the calls of layers.

    Batch norms normalise the samples of each objective by themselves.

    :param layers: known layers (:func:`~.rules.is_known`), without hooks of the user's.
    :param sizes: samples of each objective, or of each group of them.
    """
    recorder = _Recorder(sizes)
    norms = [layer for layer in layers if is_batch_norm(layer)]
    for layer in layers:
        if not (is_batch_norm(layer) or has_rule(layer)):  # a class that has been patched since
            recorder.unusable = type(layer).__name__
    hooked = [layer for layer in layers if not is_batch_norm(layer)]
    # The entries that `register_forward_hook` makes, without its handles. With the public method,
    # the gradients of an MLP take 2 to 4 % more time (n = 3 and 10, 16 and 10 samples, one thread).
    for layer in hooked:
        layer._forward_hooks[_HOOK] = recorder.see
        layer._forward_hooks_with_kwargs[_HOOK] = True
    for layer in norms:
        # In the place of the method, and past `__setattr__`, for the same reason.
        layer.__dict__["forward"] = partial(recorder.normalise, layer)
    try:
        output = model(batch)
    finally:
        for layer in hooked:
            layer._forward_hooks.pop(_HOOK, None)
            layer._forward_hooks_with_kwargs.pop(_HOOK, None)
        for layer in norms:
            layer.__dict__.pop("forward", None)
    return Recording(output, recorder.calls, recorder.unusable)


class _Recorder:
    """Notes calls of layers while a model is forwarded.

    :param sizes: samples that batch norm normalises together.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.calls: list[LayerCall] = []
        self.unusable: str | None = None
        self._sizes, self._samples = sizes, sum(sizes)
        self._tracked: set[int] = set()

    def see(
        self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        """Forward hook of a layer with a rule."""
        if torch.compiler.is_compiling():
            return  # a compiled part is no recorded call, which the graph then shows
        inputs: Any = args[0] if args else kwargs.get("input")
        if _is_plain(inputs) and _is_plain(output):
            self._note(layer, inputs, output, {})
        else:
            self.unusable = type(layer).__name__

    def normalise(self, layer: nn.Module, input: Tensor) -> Tensor:
        """Take the place of a batch norm's ``forward``."""
        is_like = _is_plain(input) and input.ndim > 1 and len(input) == self._samples
        if not is_like or torch.compiler.is_compiling():
            self.unusable = type(layer).__name__
            return cast(Tensor, type(layer).forward(layer, input))
        if tracks(layer):
            # Separate passes would take all calls of one objective before those of the next.
            known = {id(b) for b in layer._buffers.values() if b is not None}
            if not known.isdisjoint(self._tracked):
                self.unusable = type(layer).__name__
            self._tracked |= known
        output, own = normalised_by_objective(layer, input, self._sizes)
        self._note(layer, input, output, own)
        return output

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


def _is_plain(tensor: Any) -> bool:
    """Whether gradients can be computed from it afterwards."""
    return (
        isinstance(tensor, Tensor)
        and not tensor.is_inference()
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )
