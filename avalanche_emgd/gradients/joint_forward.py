"""One forward pass over the batches of all objectives, and the backward passes through it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from .batches import Batches, has_rows
from .graph import shape_of
from .layer_gradient import LayerGradient
from .recording import LayerCall, Recording, record

__all__ = ["JointForward", "UntrustedError"]


class UntrustedError(Exception):
    """A joint pass that is not the same as separate passes; says why."""


@dataclass(frozen=True)
class _Run:
    """Successive objectives that are forwarded together.

    :param recording: recording of their pass.
    :param sizes: samples of each.
    :param is_group: whether they share a batch, and batch norm couples all of its samples.
    """

    recording: Recording
    sizes: list[int]
    is_group: bool


class JointForward:
    """Batches that have been forwarded together, with the calls of layers recorded.

    Objectives with batches of their own are one forward pass. A group whose samples batch norm
    couples is another. The loss of each of its objectives depends on the samples of all, so that
    each takes a backward pass of its own.

    :param model: function that forwards a batch.
    :param batches: batches of the objectives.
    :param layers: known layers, whose calls are recorded.
    :param is_coupled: whether the model couples the samples of a group.
    :raises UntrustedError: if an output is not one row for each sample.
    """

    def __init__(
        self,
        model: Callable[[Any], Tensor],
        batches: Batches,
        layers: Sequence[nn.Module],
        is_coupled: bool,
    ) -> None:
        self.sizes = batches.sizes
        """Samples of each objective."""
        runs = _runs(batches.groups if is_coupled else [1] * len(batches))
        wholes = batches.merged([number for number, _ in runs]) if len(runs) > 1 else None
        sizes = iter(batches.sizes)
        self._runs: list[_Run] = []
        for k, (number, is_group) in enumerate(runs):
            own = [next(sizes) for _ in range(number)]
            batch = batches.whole if wholes is None else wholes[k]
            recording = record(model, batch, layers, [sum(own)] if is_group else own)
            if not has_rows(recording.output) or len(recording.output) != sum(own):
                raise UntrustedError("its outputs are not one for each sample")
            self._runs.append(_Run(recording, own, is_group))
        outputs = [run.recording.output for run in self._runs]
        self.output: Tensor = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        """Outputs of all objectives, ``[N, ...]``, in the graph."""

    @property
    def calls(self) -> list[LayerCall]:
        """Calls of the layers, in the order of the passes."""
        return [call for run in self._runs for call in run.recording.calls]

    def is_modified(self) -> bool:
        """Whether inputs of layers have been modified since these were called."""
        return any(run.recording.is_modified() for run in self._runs)

    def shape(self) -> Hashable:
        """Shape of the graphs, see :func:`~.graph.shape_of`.

        :raises UntrustedError: if a layer has not seen all samples, one by one, or passes of groups
            call different layers.
        :raises GraphError: if a parameter acts otherwise than through recorded calls.
        """
        for run in self._runs:
            strange = run.recording.unlike(sum(run.sizes))
            if strange is not None:
                raise UntrustedError(f"{strange} does not see all samples, one by one")
            if not run.recording.output.requires_grad:
                raise UntrustedError("its outputs do not depend on a trained parameter")
        first, *others = [[call.layer for call in run.recording.calls] for run in self._runs]
        if any(
            len(each) != len(first) or any(a is not b for a, b in zip(each, first, strict=True))
            for each in others
        ):
            raise UntrustedError("passes of groups call other layers")
        return tuple(
            (run.is_group, shape_of(run.recording.output, run.recording.calls))
            for run in self._runs
        )

    def backward(
        self, roots: Sequence[Tensor], like: Tensor, *, retain_graph: bool
    ) -> tuple[list[LayerGradient | None], list[int]]:
        """Gradients of each objective's loss, layer by layer.

        :param roots: losses, each of which depends on the outputs of its own objective alone.
        :param like: a tensor of the dtype in which gradients are computed.
        :param retain_graph: whether to keep the graphs.
        :return: gradients of the calls of layers, ``None`` where no loss depends on the call; and
            the number of samples that the gradient of each objective sums.
        """
        ones = [torch.ones_like(root) for root in roots]
        if len(self._runs) == 1 and not self._runs[0].is_group:  # one backward pass is all
            found = self._runs[0].recording.backward(roots, ones, retain_graph=retain_graph)
            return [_merged([(*each, self.sizes)], like) for each in found], list(self.sizes)
        (output_gradients,) = torch.autograd.grad(
            roots, [self.output], ones, retain_graph=retain_graph, allow_unused=True
        )
        if output_gradients is None:
            output_gradients = torch.zeros_like(self.output)
        return self.backward_from(output_gradients, like, retain_graph=retain_graph)

    def backward_from(
        self, output_gradients: Tensor, like: Tensor, *, retain_graph: bool
    ) -> tuple[list[LayerGradient | None], list[int]]:
        """See :meth:`backward`, from the gradients of the losses by :attr:`output`.

        :param output_gradients: these gradients, of the shape of :attr:`output`.
        """
        calls: list[list[_Found]] = []
        counted: list[int] = []
        for run, rows in zip(
            self._runs, output_gradients.split([sum(run.sizes) for run in self._runs]), strict=True
        ):
            for back, sizes, is_last in _passes(run, rows):
                counted += sizes
                keep = retain_graph or not is_last
                found = run.recording.backward([run.recording.output], [back], retain_graph=keep)
                calls.append([(call, backprops, own, sizes) for call, backprops, own in found])
        return [_merged(each, like) for each in zip(*calls, strict=True)], counted


_Found = tuple[LayerCall, Tensor | None, dict[str, Tensor], list[int]]


def _runs(groups: Sequence[int]) -> list[tuple[int, bool]]:
    """Divide objectives into passes: how many are in each, and whether they are a group."""
    runs: list[tuple[int, bool]] = []
    for is_group, members in groupby(groups, key=lambda number: number > 1):
        numbers = list(members)
        runs += [(number, True) for number in numbers] if is_group else [(len(numbers), False)]
    return runs


def _passes(run: _Run, output_gradients: Tensor) -> list[tuple[Tensor, list[int], bool]]:
    """Backward passes of a run: output gradients, samples of each objective, whether it is last."""
    if not run.is_group:
        return [(output_gradients, run.sizes, True)]
    found, start = [], 0
    for k, size in enumerate(run.sizes):
        back = torch.zeros_like(output_gradients)
        back[start : start + size] = output_gradients[start : start + size]
        found.append((back, [len(output_gradients)], k == len(run.sizes) - 1))
        start += size
    return found


def _merged(found: Sequence[_Found], like: Tensor) -> LayerGradient | None:
    """Gradient of a call from those of all backward passes."""
    if all(backprops is None for _, backprops, _, _ in found):
        return None
    shape = next(backprops for _, backprops, _, _ in found if backprops is not None)
    blocks, rows = [], []
    for call, backprops, own, sizes in found:
        inputs = _as(call.inputs, like)
        if backprops is None:  # no loss of these objectives depends on the layer
            backprops = shape.new_zeros(len(inputs), *shape.shape[1:])
        blocks.append((inputs, _as(backprops, like), sizes))
        rows.append((own, len(sizes)))
    layer, names = found[0][0].layer, {name for own, _ in rows for name in own}
    given = {
        name: torch.cat([_rows_of(own.get(name), layer, name, n, like) for own, n in rows])
        for name in names
    }
    return LayerGradient(layer, blocks, given)


def _rows_of(rows: Tensor | None, layer: nn.Module, name: str, number: int, like: Tensor) -> Tensor:
    if rows is None:
        parameter = layer._parameters[name]
        assert parameter is not None
        return like.new_zeros(number, *parameter.shape)
    return _as(rows, like)


def _as(tensor: Tensor, like: Tensor) -> Tensor:
    """Convert to the dtype of the parameters; integers, such as token ids, stay integers."""
    if tensor.dtype == like.dtype or not tensor.is_floating_point():
        return tensor
    return tensor.to(like.dtype)
