"""Passes of the fused engine: one for all objectives, and separate ones that are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from .._text_files import first_line
from .assembly import Assembly
from .batches import Pieces
from .comparison import Agreement, Comparison
from .engine import Losses, Pass
from .graph import are_separable
from .joint_forward import JointForward, UntrustedError
from .objective_gradients import ObjectiveGradients
from .plain_engine import SeparatePass
from .trust import Trust

__all__ = ["ComparedPass", "JointPass", "LeanComparedPass"]


class JointPass(Pass):
    """All objectives have been forwarded together, and are differentiated together.

    :param forward: forward pass.
    :param assembly: assembly of the gradients of layers.
    :param trust: results of comparisons of the model.
    """

    joined: Tensor

    def __init__(self, forward: JointForward, assembly: Assembly, trust: Trust) -> None:
        self._forward, self._assembly, self._trust = forward, assembly, trust
        self.joined = forward.output
        self.outputs = Pieces(forward.output, forward.sizes)
        self._version = forward.output._version

    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        *,
        retain_graph: bool = False,
        separable: bool = False,
    ) -> ObjectiveGradients:
        """See :meth:`Pass.gradients`."""
        roots = [losses] if isinstance(losses, Tensor) else list(losses)
        is_known = self._trust.has_seen_parameters(parameters)
        if not is_known:
            self._trust.begin_anew()
        if not (is_known and self._can_be_fused(roots, parameters, separable)):
            # The joint graph is right for each loss by itself, whatever it depends on.
            separate = SeparatePass(self.outputs, self._assembly.lend())
            return separate.gradients(list(losses), parameters, retain_graph=True)
        roots = [root for root in roots if root.requires_grad]
        found, sizes = self._forward.backward(roots, parameters[0], retain_graph=retain_graph)
        return self._assembly.gradients(found, sizes, parameters)

    def _can_be_fused(
        self, roots: Sequence[Tensor], parameters: Sequence[Tensor], separable: bool
    ) -> bool:
        """Whether losses are functions of each objective's own outputs, and nothing else."""
        if self._forward.is_modified() or self.joined._version != self._version:
            return False
        if not any(root.requires_grad for root in roots):
            return False
        if separable:
            return True
        if are_separable(roots, parameters, self.joined, self._forward.sizes):
            return True
        # Backward passes of single losses are dearer through the graph of all.
        self._trust.refuse("its losses depend on more than the outputs of their own objectives")
        return False


class ComparedPass(Pass):
    """Separate passes, with which a joint pass is compared once their losses are known.

    :param separate: separate passes, whose gradients are returned.
    :param comparison: comparison with the joint pass.
    :param trust: results of comparisons of the model.
    """

    def __init__(self, separate: SeparatePass, comparison: Comparison, trust: Trust) -> None:
        self.outputs = separate.outputs
        self._separate, self._comparison, self._trust = separate, comparison, trust

    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        *,
        retain_graph: bool = False,
        separable: bool = False,
    ) -> ObjectiveGradients:
        """See :meth:`Pass.gradients`."""
        losses = list(losses)
        if not self._can_be_compared(losses, parameters):
            return self._separate.gradients(losses, parameters, retain_graph=retain_graph)
        return self._compared(losses, parameters, retain_graph)

    def _can_be_compared(self, losses: Sequence[Tensor], parameters: Sequence[Tensor]) -> bool:
        if len(losses) != len(self.outputs):
            self._trust.reason = "its losses are not one for each objective"
            return False
        if not all(isinstance(each, nn.Parameter) for each in parameters):
            # The walk through the graph looks for the uses of parameters only.
            self._trust.refuse("gradients by tensors that are no parameters are asked for")
            return False
        return True

    def _compared(
        self, losses: Sequence[Tensor], parameters: Sequence[Tensor], retain_graph: bool
    ) -> ObjectiveGradients:
        found, output_gradients = self._separate.differentiate(
            losses, parameters, retain_graph, by_outputs=True
        )
        lengths = [p.numel() for p in parameters]
        self._check(output_gradients, lambda k: found.rows[k].split(lengths), parameters)
        return found

    def _check(
        self,
        output_gradients: Sequence[Tensor | None],
        expected: Callable[[int], Sequence[Tensor]],
        parameters: Sequence[Tensor],
    ) -> Agreement | None:
        """Compare; ``None`` if the joint pass is not the same."""
        try:
            found = self._comparison.check(output_gradients, expected, parameters)
        except Exception as error:  # separate passes have gone well, or say what is wrong
            self._trust.refuse(
                str(error)
                if isinstance(error, UntrustedError)
                else f"a joint pass cannot be compared: {type(error).__name__}: {first_line(error)}"
            )
            return None
        sizes = self._comparison.batches.sizes
        self._trust.compared(found.shape, found.seen, parameters, sizes)
        return found


class LeanComparedPass(ComparedPass):
    """Separate passes that are compared without holding the gradients of more than one objective.

    The gradients of the joint pass are returned if they are the same and those of every layer have
    been compared. If not, those of separate passes are computed again, and all are held.

    :param separate: separate passes.
    :param comparison: comparison with the joint pass.
    :param trust: results of comparisons of the model.
    :param assembly: assembly of the gradients of layers.
    """

    def __init__(
        self, separate: SeparatePass, comparison: Comparison, trust: Trust, assembly: Assembly
    ) -> None:
        super().__init__(separate, comparison, trust)
        self._assembly = assembly

    def _compared(
        self, losses: Sequence[Tensor], parameters: Sequence[Tensor], retain_graph: bool
    ) -> ObjectiveGradients:
        found = self._check(
            self._separate.output_gradients(losses),
            lambda k: self._separate.row(losses[k], parameters),
            parameters,
        )
        if found is None or not all(found.seen):
            return self._separate.gradients(losses, parameters, retain_graph=retain_graph)
        return self._assembly.gradients(found.layers, found.sizes, parameters)
