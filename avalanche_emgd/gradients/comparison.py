"""The comparison of a joint pass with separate passes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .._text_files import first_line
from .agreement import agree, tolerance_of
from .batches import Batches
from .flat_gradient import flat_pieces
from .forward_state import ForwardState
from .graph import GraphError
from .joint_forward import JointForward, UntrustedError
from .layer_gradient import LayerGradient
from .model_structure import modules_of, structure_of
from .row_comparison import RowComparison
from .running_statistics import RunningStatistics, Values

__all__ = ["Agreement", "Comparison"]


@dataclass(frozen=True)
class Agreement:
    """Joint pass that is the same as separate passes.

    :param shape: shape of its graph.
    :param seen: one boolean for each recorded call: whether gradients that are not zero have been
        compared.
    :param layers: its gradients, for each call; none if they are not finite.
    :param sizes: number of samples that the gradient of each objective sums.
    """

    shape: Hashable
    seen: Sequence[bool]
    layers: Sequence[LayerGradient | None] = ()
    sizes: Sequence[int] = ()


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
        output_gradients: Sequence[Tensor | None],
        expected: Callable[[int], Sequence[Tensor]],
        parameters: Sequence[Tensor],
    ) -> Agreement:
        """Make the joint pass, and compare its gradients with those of separate passes.

        Beside the expected ones, the gradient of one objective is held at a time. The pass leaves
        no trace: random states and buffers are brought back.

        :param output_gradients: gradients of the losses by the outputs.
        :param expected: function from the number of an objective to its flat gradients by the
            parameters, of separate passes.
        :param parameters: parameters with P elements in all.
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
            uncompared = Agreement(shape, [False] * len(joint.calls))
            if not torch.isfinite(joint.output.detach().sum()):
                return uncompared
            tolerance = tolerance_of([call.dtype for call in joint.calls])
            self._compare_outputs(joint, tolerance)
            back = self._backprops(joint, output_gradients)
            if not torch.isfinite(back.sum()):
                return uncompared
            try:
                layers, sizes = joint.backward_from(back, parameters[0], retain_graph=False)
                rows = RowComparison(layers, len(sizes), parameters, tolerance)
            except RuntimeError as error:
                raise UntrustedError(f"its joint gradients fail: {first_line(error)}") from error
            for k in range(len(sizes)):
                again = partial(self._again, state, back, k, parameters)
                if not rows.compare(k, expected(k), again):
                    return uncompared
            return Agreement(shape, rows.seen(), layers, sizes)
        finally:
            state.restore()

    def _joint_pass(self, state: ForwardState) -> JointForward:
        """Forward all objectives together from the state before the separate passes."""
        watch = _Watch()

        def forward() -> JointForward:
            state.statistics.write(self._before)
            with watch:
                return self._forward()

        try:
            joint, written = state.undisturbed(forward)
        except UntrustedError:
            raise
        except Exception as error:
            raise UntrustedError(
                f"a joint pass fails: {type(error).__name__}: {first_line(error)}"
            ) from error
        written = written or state.filled()
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
    def _backprops(joint: JointForward, output_gradients: Sequence[Tensor | None]) -> Tensor:
        """Gradients of the losses by the joint output."""
        outputs = joint.output.split(joint.sizes)
        return torch.cat(
            [
                torch.zeros_like(output)
                if output_gradient is None
                else output_gradient.to(output.dtype)
                for output_gradient, output in zip(output_gradients, outputs, strict=True)
            ]
        )

    def _again(
        self, state: ForwardState, back: Tensor, k: int, parameters: Sequence[Tensor]
    ) -> list[Tensor]:
        """Gradients of one objective by another joint pass and a backward pass of its own."""
        state.restore()
        joint = self._joint_pass(state)
        output, output_gradients = (each.split(joint.sizes)[k] for each in (joint.output, back))
        return flat_pieces(
            torch.autograd.grad((output * output_gradients).sum(), parameters, allow_unused=True),
            parameters,
        )


class _Watch(TorchFunctionMode):
    """Notices hooks on tensors that a forward pass registers."""

    has_hooks = False

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (Tensor.register_hook, Tensor.register_post_accumulate_grad_hook):
            self.has_hooks = True
        return func(*args, **(kwargs or {}))
