"""The comparison of a joint pass with separate passes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .._text_files import first_line
from .agreement import (
    FLOOR,
    KINKS,
    agree,
    floors_of,
    norms_of,
    rows_agree,
    seen_of,
    tolerance_of,
)
from .assembly import Assembly
from .batches import Batches
from .flat_gradient import flat_gradient
from .forward_state import ForwardState
from .graph import GraphError
from .joint_forward import JointForward, UntrustedError
from .model_structure import modules_of, structure_of
from .running_statistics import RunningStatistics, Values

__all__ = ["Comparison"]


class Comparison:
    """Separate passes of a tick, to compare a joint pass with.

    :param module: model.
    :param forward: function that makes the joint pass.
    :param batches: batches of the objectives.
    :param outputs: outputs of separate passes, one for each objective, in their graphs.
    :param before: running statistics before these passes.
    """

    def __init__(
        self,
        module: nn.Module,
        forward: Callable[[], JointForward],
        batches: Batches,
        outputs: Sequence[Tensor],
        before: Values,
    ) -> None:
        self._module, self._forward = module, forward
        self.batches, self.outputs = batches, outputs
        self._before = before
        self._after = RunningStatistics(modules_of(module)).copies()

    def check(
        self,
        slopes: Sequence[Tensor | None],
        expected: Tensor,
        parameters: Sequence[Tensor],
        assembly: Assembly,
    ) -> tuple[Hashable, list[bool]]:
        """Make the joint pass, and compare its gradients with those of separate passes.

        The pass leaves no trace: random states and buffers are brought back.

        :param slopes: gradients of the losses by the outputs.
        :param expected: gradients by the parameters, ``[n, P]``.
        :param parameters: with P elements in all.
        :param assembly: puts the gradients of layers together.
        :return: the shape of the graph, and for each recorded call whether gradients that are not
            zero have been compared.
        :raises UntrustedError: if the joint pass is not the same; other errors, of whatever kind
            the model raises, mean that it cannot be compared.
        """
        # Going backward writes, too, where parts are forwarded again.
        state = ForwardState(self._module, structure_of(self._module), thorough=True)
        try:
            joint = self._joint_pass(state)
            try:
                shape = joint.shape()
            except GraphError as error:
                raise UntrustedError(self._described(error)) from error
            if not all(map(torch.isfinite, (expected.sum(), joint.output.detach().sum()))):
                return shape, [False] * len(joint.calls)
            tolerance = tolerance_of([call.dtype for call in joint.calls])
            self._compare_outputs(joint, tolerance)
            return shape, self._compare_gradients(
                state, joint, slopes, expected, parameters, assembly, tolerance
            )
        finally:
            state.restore()

    def _joint_pass(self, state: ForwardState) -> JointForward:
        """Forward all objectives together from the state before the separate passes."""
        watch = _Watch()
        state.statistics.write(self._before)
        try:
            with watch:
                joint = self._forward()
        except UntrustedError:
            raise
        except Exception as error:
            raise UntrustedError(
                f"a joint pass fails: {type(error).__name__}: {first_line(error)}"
            ) from error
        written = state.written() or state.filled()
        if written is not None:
            raise UntrustedError(written)
        if watch.has_hooks:
            raise UntrustedError("its forward pass registers hooks on tensors")
        if joint.is_modified():
            raise UntrustedError("inputs of a layer are modified in place afterwards")
        # Compared only once the outputs agree.
        self._found = state.statistics.copies()
        return joint

    def _described(self, error: GraphError) -> str:
        names = {id(p): name for name, p in self._module.named_parameters()}
        name = names.get(id(error.parameter), "a parameter outside of the model")
        return str(error) if error.parameter is None else f"{name} {error}"

    def _compare_outputs(self, joint: JointForward, tolerance: float) -> None:
        if not all(
            found.shape == output.shape and agree(found, output, tolerance)
            for found, output in zip(joint.output.split(joint.sizes), self.outputs, strict=True)
        ):
            raise UntrustedError("its outputs differ from those of separate passes")
        if not RunningStatistics.agree(self._found, self._after, tolerance):
            raise UntrustedError("its running statistics differ from those of separate passes")

    @staticmethod
    def _backprops(joint: JointForward, slopes: Sequence[Tensor | None]) -> Tensor:
        """Gradients of the losses by the joint output."""
        outputs = joint.output.split(joint.sizes)
        return torch.cat(
            [
                torch.zeros_like(output) if slope is None else slope.to(output.dtype)
                for slope, output in zip(slopes, outputs, strict=True)
            ]
        )

    def _compare_gradients(
        self,
        state: ForwardState,
        joint: JointForward,
        slopes: Sequence[Tensor | None],
        expected: Tensor,
        parameters: Sequence[Tensor],
        assembly: Assembly,
        tolerance: float,
    ) -> list[bool]:
        """For each call, whether gradients that are not zero have been compared."""
        try:
            back = self._backprops(joint, slopes)
            layers, sizes = joint.backward(back, parameters[0], retain_graph=False)
            found = assembly.gradients(layers, sizes, parameters)
        except RuntimeError as error:
            raise UntrustedError(f"its joint gradients fail: {first_line(error)}") from error
        floors = floors_of(layers, len(sizes), parameters)
        lengths = [p.numel() for p in parameters]
        telling = [False] * len(parameters)
        for k, right in enumerate(expected):  # one by one: all of them take memory n P
            floor = [FLOOR * each[k] for each in floors]
            row, norms = found.row(k), norms_of(right, lengths)
            if not rows_agree(row, right, norms, lengths, floor, tolerance):
                own = None
                if agree(row, right, KINKS):
                    # A unit at its kink may be on one side of it in one pass and on the other in
                    # another, as they round. Then the gradient must be right for its own pass.
                    state.restore()
                    output = self._joint_pass(state).output.split(joint.sizes)[k]
                    own = flat_gradient((output * back.split(joint.sizes)[k]).sum(), parameters)
                if own is None or not rows_agree(
                    row, own, norms_of(own, lengths), lengths, floor, tolerance
                ):
                    raise UntrustedError("its gradients differ from those of separate passes")
            telling = [
                before or norm > tolerance * least > 0.0
                for before, norm, least in zip(telling, norms, floor, strict=True)
            ]
        told = {id(p) for p, is_telling in zip(parameters, telling, strict=True) if is_telling}
        return seen_of(layers, parameters, told)


class _Watch(TorchFunctionMode):
    """Notices hooks on tensors that a forward pass registers."""

    has_hooks = False

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (Tensor.register_hook, Tensor.register_post_accumulate_grad_hook):
            self.has_hooks = True
        return func(*args, **(kwargs or {}))
