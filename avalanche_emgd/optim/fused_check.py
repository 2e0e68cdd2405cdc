"""The comparison of a joint pass with separate passes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .autograd_graph import GraphError, shape_of
from .flat_gradient import flat_gradient
from .gramian import exact
from .joined import Joined, has_rows
from .layer_calls import LayerCall, LayerCalls
from .model_state import ForwardState, modules_of, structure_of
from .running_statistics import RunningStatistics, Values

__all__ = ["Comparison", "UntrustedError", "line_of"]

# Relative to a gradient, by what the model computes in.
_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
# Relative to the lengths of inputs and backprops whose products a gradient sums up. Where these
# cancel, rounding is large beside the gradient, and small beside this.
_FLOOR = 0.1
# How far units at their kinks may lead. They are a few among thousands.
_KINKS = 0.1


class UntrustedError(Exception):
    """A joint pass that is not the same as separate passes; says why."""


class Comparison:
    """Separate passes of a tick, to compare a joint pass with.

    :param module: the model.
    :param model: forwards a batch.
    :param batches: of the objectives.
    :param outputs: of separate passes, one for each objective, in their graphs.
    :param before: running statistics before these passes.
    """

    def __init__(
        self,
        module: nn.Module,
        model: Callable[[Any], Tensor],
        batches: Joined,
        outputs: Sequence[Tensor],
        before: Values,
    ) -> None:
        self._module, self._model = module, model
        self.batches, self.outputs = batches, outputs
        self._before = before
        self._after = RunningStatistics(modules_of(module)).copies()

    def check(
        self,
        slopes: Sequence[Tensor | None],
        expected: Tensor,
        parameters: Sequence[Tensor],
        layers: Sequence[nn.Module],
        lean: bool,
    ) -> tuple[tuple[Any, ...], list[bool]]:
        """Make the joint pass, and compare its gradients with those of separate passes.

        The pass leaves no trace: random states and buffers are brought back.

        :param slopes: gradients of the losses by the outputs.
        :param expected: gradients by the parameters, ``[n, P]``.
        :param parameters: with P elements in all.
        :param layers: with rules.
        :param lean: see :class:`~avalanche_emgd.optim.FusedEngine`.
        :return: the shape of the graph, and for each recorded call whether gradients that are not
            zero have been compared.
        :raises UntrustedError: if the joint pass is not the same; other errors, of whatever kind
            the model raises, mean that it cannot be compared.
        """
        # Going backward writes, too, where parts are forwarded again.
        state = ForwardState(self._module, structure_of(self._module), thorough=True)
        try:
            return self._checked(state, slopes, expected, parameters, layers, lean)
        finally:
            state.restore()

    def _checked(
        self,
        state: ForwardState,
        slopes: Sequence[Tensor | None],
        expected: Tensor,
        parameters: Sequence[Tensor],
        layers: Sequence[nn.Module],
        lean: bool,
    ) -> tuple[tuple[Any, ...], list[bool]]:
        calls = LayerCalls()
        joined, statistics = self._joint_pass(state, calls, layers)
        sizes = self.batches.sizes
        strange = calls.unlike(sum(sizes))
        if strange is not None:
            raise UntrustedError(f"{strange} does not see all samples, one by one")
        if not joined.requires_grad:
            raise UntrustedError("its outputs do not depend on a trained parameter")
        try:
            shape = shape_of(joined, calls.calls)
        except GraphError as error:
            raise UntrustedError(self._described(error)) from error
        if not all(map(torch.isfinite, (expected.sum(), joined.detach().sum()))):
            return shape, [False] * len(calls.calls)
        outputs, tolerance = joined.split(sizes), self._tolerance(calls.calls)
        if not all(
            found.shape == output.shape and _agree(found, output, tolerance)
            for found, output in zip(outputs, self.outputs, strict=True)
        ):
            raise UntrustedError("its outputs differ from those of separate passes")
        if not RunningStatistics.agree(statistics, self._after, tolerance):
            raise UntrustedError("its running statistics differ from those of separate passes")
        back = torch.cat(
            [
                torch.zeros_like(output) if slope is None else slope.to(output.dtype)
                for slope, output in zip(slopes, outputs, strict=True)
            ]
        )
        try:
            returned = torch.autograd.grad(
                joined, calls.edges(), back, retain_graph=True, allow_unused=True
            )
            found = calls.gradients(returned, sizes, parameters, lean)[0]
        except RuntimeError as error:
            raise UntrustedError(f"its joint gradients fail: {line_of(error)}") from error
        returned = returned[: len(calls.calls)]  # without those of layers' own
        floors = _floors(calls.calls, returned, sizes, parameters)
        lengths = [p.numel() for p in parameters]
        telling = [False] * len(parameters)
        for k, right in enumerate(expected):  # one by one: all of them take memory n P
            floor = [_FLOOR * each[k] for each in floors]
            row, norms = found.row(k), _norms(right, lengths)
            if not _rows_agree(row, right, norms, lengths, floor, tolerance):
                own = None
                if _agree(row, right, _KINKS):
                    # A unit at its kink may be on one side of it in one pass and on the other in
                    # another, as they round. Then the gradient must be right for its own pass.
                    inner = (outputs[k] * back.split(sizes)[k]).sum()
                    own = flat_gradient(inner, parameters, retain_graph=True)
                if own is None or not _rows_agree(
                    row, own, _norms(own, lengths), lengths, floor, tolerance
                ):
                    raise UntrustedError("its gradients differ from those of separate passes")
            telling = [
                before or norm > tolerance * least > 0.0
                for before, norm, least in zip(telling, norms, floor, strict=True)
            ]
        told = {id(p) for p, is_telling in zip(parameters, telling, strict=True) if is_telling}
        return shape, _seen(calls.calls, returned, parameters, told)

    def _joint_pass(
        self, state: ForwardState, calls: LayerCalls, layers: Sequence[nn.Module]
    ) -> tuple[Tensor, Values]:
        """Output, and what the running statistics have become."""
        watch = _Watch()
        state.statistics.write(self._before)
        try:
            with watch:
                joined = calls.record(self._model, self.batches.whole, layers, self.batches.sizes)
        except Exception as error:
            raise UntrustedError(
                f"a joint pass fails: {type(error).__name__}: {line_of(error)}"
            ) from error
        written = state.written() or state.filled()
        statistics = state.statistics.copies()
        if written is not None:
            raise UntrustedError(written)
        if watch.has_hooks:
            raise UntrustedError("its forward pass registers hooks on tensors")
        if calls.modified():
            raise UntrustedError("inputs of a layer are modified in place afterwards")
        if not has_rows(joined) or len(joined) != sum(self.batches.sizes):
            raise UntrustedError("its outputs are not one for each sample")
        return joined, statistics

    def _described(self, error: GraphError) -> str:
        names = {id(p): name for name, p in self._module.named_parameters()}
        name = names.get(id(error.parameter), "a parameter outside of the model")
        return str(error) if error.parameter is None else f"{name} {error}"

    def _tolerance(self, calls: Sequence[LayerCall]) -> float:
        """Of rounding, that of the coarsest layer."""
        kinds = [call.dtype for call in calls]
        return max((_TOLERANCE.get(kind, 1e-2) for kind in kinds), default=1e-4)


def _seen(
    calls: Sequence[LayerCall],
    returned: Sequence[Tensor | None],
    parameters: Sequence[Tensor],
    told: Collection[int],
) -> list[bool]:
    """For each call, whether gradients of its layer that are not zero have been compared.

    :param told: identities of the parameters whose gradients are larger than rounding.
    """
    trained = {id(p) for p in parameters}
    found = []
    for call, slope in zip(calls, returned, strict=True):
        own = {id(p) for p in call.layer._parameters.values()} & trained
        if slope is None or not own:  # nothing that could be wrong
            found.append(True)
        else:
            found.append(bool(slope.any()) and not own.isdisjoint(told))
    return found


def line_of(error: Exception) -> str:
    """First line of an error's message."""
    return str(error).partition("\n")[0]


class _Watch(TorchFunctionMode):
    """Notices hooks on tensors that a forward pass registers."""

    has_hooks = False

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (Tensor.register_hook, Tensor.register_post_accumulate_grad_hook):
            self.has_hooks = True
        return func(*args, **(kwargs or {}))


def _floors(
    calls: Sequence[LayerCall],
    returned: Sequence[Tensor | None],
    sizes: Sequence[int],
    parameters: Sequence[Tensor],
) -> list[list[float]]:
    """For each parameter and objective, the length of what its gradient sums up."""
    places = {id(p): place for place, p in enumerate(parameters)}
    found = [[0.0] * len(sizes) for _ in parameters]
    for call, slope in zip(calls, returned, strict=True):
        if slope is None:
            continue
        # Inputs may be normalised by the layer, or whole numbers.
        of_inputs = [(call.inputs[0].numel() * size) ** 0.5 for size in sizes]
        if call.inputs.is_floating_point():
            of_inputs = list(map(max, of_inputs, _lengths(call.inputs, sizes)))
        for parameter in call.layer._parameters.values():
            place = places.get(id(parameter))
            if place is not None:
                for k, (inputs, back) in enumerate(
                    zip(of_inputs, _lengths(slope, sizes), strict=True)
                ):
                    found[place][k] += inputs * back
    return found


def _lengths(samples: Tensor, sizes: Sequence[int]) -> list[float]:
    """Euclidean length of each objective's samples ``[N, ...]``."""
    squares = _vector_norm(samples.flatten(1) if samples.ndim > 1 else samples[:, None], 1) ** 2
    return torch.stack([piece.sum().sqrt() for piece in squares.split(list(sizes))]).tolist()


def _norms(row: Tensor, lengths: Sequence[int]) -> list[float]:
    """Euclidean length of each parameter's gradient in a flat one ``[P]``."""
    return torch.stack([_vector_norm(piece) for piece in row.split(list(lengths))]).tolist()


def _vector_norm(tensor: Tensor, dim: int | None = None) -> Tensor:
    """Euclidean length, summed up in float64 on devices that know it."""
    kind = torch.float32 if tensor.device.type == "mps" else torch.float64
    return torch.linalg.vector_norm(tensor, dim=dim, dtype=kind)


def _rows_agree(
    found: Tensor,
    expected: Tensor,
    norms: Sequence[float],
    lengths: Sequence[int],
    floors: Sequence[float],
    tolerance: float,
) -> bool:
    """Whether gradients are equal but for rounding, parameter by parameter.

    :param norms: lengths of the expected gradients.
    :param floors: lengths beside which rounding is small where terms cancel.
    """
    return all(
        error <= tolerance * max(norm, floor)
        for error, norm, floor in zip(_norms(found - expected, lengths), norms, floors, strict=True)
    )


def _agree(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Whether tensors are equal but for ``tolerance``, relative to the second."""
    found, expected = exact(found.detach()), exact(expected.detach())
    return float((found - expected).norm()) <= tolerance * float(expected.norm())
