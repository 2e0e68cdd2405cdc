"""One forward and one backward pass for all objectives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from torch import Tensor, nn

from .assembly import Assembly
from .batch_norm import normalises_by_batch
from .batches import Batches, has_rows, join, versions_of
from .comparison import Comparison
from .engine import GradientEngine, Pass
from .fitness import slower_fused
from .forward_state import ForwardState
from .joint_forward import JointForward
from .joint_pass import ComparedPass, JointPass, LeanComparedPass
from .plain_engine import PlainEngine
from .trust import Trust
from .workspace import Workspace

__all__ = ["FusedEngine"]

Batch = TypeVar("Batch")


class FusedEngine(GradientEngine):
    """One forward and one backward pass over the concatenated batches, where that is the same.

    Activations A of each layer and backprops G give each objective's gradient: for a linear layer
    Gᵀ A, with the objective's rows of both. The arithmetic is that of n passes, without their
    overhead, which matters where batches are small or objectives many.

    Passes are fused only while :func:`unfit_for_fusing` finds nothing against it, and while each
    trained parameter acts through recorded calls of its layer alone. Comparisons with separate
    passes at ticks 1, 2, 4, 8 ..., begun anew after each change of the model, must find equal
    gradients. All other ticks take separate passes (:class:`PlainEngine`), and so do convolutional
    networks on the CPU where these are quicker; :attr:`reason` says why.

    Batch norm normalises each objective's samples by themselves. The next comparison alone notices
    a change that shows neither in the model nor in its graph, such as a global variable.

    :param module: model that the batches are forwarded through; the strategy's if omitted.
    :param lean: whether gradients of linear layers are never held. Products of all pairs of samples
        are the price. By default the engine chooses the faster way: products for few samples.
    """

    def __init__(self, module: nn.Module | None = None, *, lean: bool = False) -> None:
        self.lean = lean
        self._plain = PlainEngine()
        self._trust = Trust()
        self._assembly = Assembly(Workspace(), lean=lean)
        self._state: ForwardState | None = None
        self._slower: str | None = None
        if module is not None:
            self.attach(module)

    def __getstate__(self) -> dict[str, Any]:
        """State without the copies of the model's buffers."""
        return {**vars(self), "_state": None}

    def state_dict(self) -> dict[str, Any]:
        """Return the results of comparisons, so that a resumed run compares the same ticks."""
        return self._trust.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], module: nn.Module) -> None:
        """See :meth:`GradientEngine.load_state_dict`."""
        self._trust.load_state_dict(state, module)

    @property
    def reason(self) -> str | None:
        """Why passes are not fused; ``None`` if they are."""
        return self._slower or self._trust.reason

    def attach(self, module: nn.Module) -> None:
        """See :meth:`GradientEngine.attach`."""
        self._trust.attach(module)

    def forward(self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]) -> Pass:
        """See :meth:`GradientEngine.forward`.

        :param batches: tensors ``[b, ...]``, or tuples of such; those of a
            :class:`~avalanche_emgd.gradients.Batches` are not copied. Others take separate passes,
            as do tensors that differ in more than their first dimension.
        """
        self._trust.examine()
        self._slower = None
        if len(batches) < 2:
            return self._plain.forward(model, batches)
        if not self.lean:
            self._slower = slower_fused(self._trust.layers, batches)
        if self._slower is not None:
            return self._plain.forward(model, batches)
        choice = self._trust.next_tick()
        whole = None if choice == "separate" else join(batches)
        if whole is None:
            if choice != "separate":
                self._trust.reason = "its batches cannot be put one after the other"
            found = self._plain.forward(model, batches)
            self._trust.settle()
            return found
        if choice == "fuse" and self._trust.has_seen_sizes(whole.sizes):
            joint = self._joint_pass(model, whole)
            if joint is not None:
                return joint
        return self._compared(model, batches, whole)

    def _forwarded(self, model: Callable[[Any], Tensor], batches: Batches) -> JointForward:
        assert self._trust.module is not None
        is_coupled = max(batches.groups) > 1 and normalises_by_batch(self._trust.module)
        return JointForward(model, batches, self._trust.layers, is_coupled)

    def _joint_pass(self, model: Callable[[Any], Tensor], batches: Batches) -> JointPass | None:
        """Forward all objectives at once; ``None`` if this tick is not like those compared."""
        state, structure = self._state, self._trust.structure
        if state is None or state.structure is not structure:  # the first after a change
            assert self._trust.module is not None
            state = self._state = ForwardState(self._trust.module, structure)
        state.save()
        try:
            joint = self._forwarded(model, batches)
            if state.written() is None and self._trust.has_seen_shape(joint.shape()):
                return JointPass(joint, self._assembly, self._trust)
        except Exception:  # of shapes or memory, say; separate passes say whether it is one
            pass
        state.restore()
        return None

    def _compared(
        self, model: Callable[[Batch], Tensor], batches: Sequence[Batch], whole: Batches
    ) -> Pass:
        """Make separate passes, to be compared when the losses are known."""
        trust = self._trust
        assert trust.module is not None
        state = ForwardState(trust.module, trust.structure, thorough=True)
        before, versions = state.statistics.copies(), versions_of(batches)
        workspace = self._assembly.lend()
        separate, fault = state.undisturbed(
            lambda: self._plain.forward(model, batches, workspace=workspace)
        )
        if fault is None and versions_of(batches) != versions:
            fault = "its forward pass modifies its batch"
        if fault is None and not all(map(has_rows, separate.outputs)):
            fault = "its outputs are not one for each sample"
        if fault is not None:
            trust.refuse(fault)
            trust.settle()
            return separate
        trust.reason = state.filled()  # which a cache does only once
        if trust.reason is not None:
            return separate
        forward = partial(self._forwarded, model, whole)
        comparison = Comparison(trust.module, forward, whole, separate.outputs, before)
        if self.lean:
            return LeanComparedPass(separate, comparison, trust, self._assembly)
        return ComparedPass(separate, comparison, trust)
