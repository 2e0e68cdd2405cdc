"""The engine that shares the objectives of a tick between processes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..gradients import Batches, GradientEngine, Pass
from ..gradients.agreement import agree, tolerance_of
from ..gradients.batches import join
from ..gradients.forward_state import ForwardState
from ..gradients.model_structure import modules_of, structure_of
from .batch_statistics import BatchStatistics
from .digests import sums_of
from .distributed_pass import DistributedPass
from .launcher import PlacementName
from .placement import Automatic, BySample, Placement, Share, make_placement
from .processes import Processes
from .randomness import OwnRandomness
from .shareable_models import check_shareable
from .shares import cut, cuts_objectives, digest_of_tick, is_in_order
from .slice_exchange import SliceExchange

__all__ = ["DistributedEngine"]

Batch = TypeVar("Batch")


class DistributedEngine(GradientEngine):
    """Forwards and differentiates the objectives of a tick on several processes.

    All processes have the samples of all objectives, and the same parameters. Each forwards its
    share of the samples with an engine of its own. Outputs are gathered, so that each process
    computes all losses. The gradients by the parameters are exchanged for slices
    (``SlicedGradients``): the update is that of one process, but for rounding.

    :param inner: engine of this process.
    :param processes: processes.
    :param placement: placement, or its name.
    """

    def __init__(
        self,
        inner: GradientEngine,
        processes: Processes,
        placement: Placement | PlacementName = "auto",
    ) -> None:
        self.inner = inner
        """Engine of this process."""
        self.processes = processes
        """Processes that share the objectives."""
        self.placement = make_placement(placement)
        """Placement of the samples."""
        self._exchange = SliceExchange(processes)
        self._random = OwnRandomness(processes.rank, processes.device)
        self._module: nn.Module | None = None
        self._norms: list[Any] = []
        self._buffers: list[tuple[str, Tensor]] = []
        self._statistics: BatchStatistics | None = None
        self._mixes = False  # whether the model was found to mix the samples of a batch
        self._forget()

    def _forget(self) -> None:
        self._width: tuple[int, ...] | None = None  # shape of an output without its first dimension
        self._has_tried_cuts = False

    def __getstate__(self) -> dict[str, Any]:
        """State without references to the model, which is attached again."""
        nothing: dict[str, Any] = {"_module": None, "_norms": [], "_buffers": []}
        return {**vars(self), **nothing, "_statistics": None, "_width": None}

    def state_dict(self) -> dict[str, Any]:
        """See :meth:`GradientEngine.state_dict`; the state is that of the engine of a process."""
        return self.inner.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], module: nn.Module) -> None:
        """See :meth:`GradientEngine.load_state_dict`."""
        self.inner.load_state_dict(state, module)

    def common_state(self) -> dict[str, Any]:
        """Return what all processes have in common, as numbers."""
        return {"passes": self._random.passes, "mixes": self._mixes}

    def load_common_state(self, state: Mapping[str, Any], module: nn.Module) -> None:
        """Restore the state of :meth:`common_state`.

        :param state: state.
        :param module: model with the architecture of that time.
        """
        self._random.passes = int(state["passes"])
        self._module, self._mixes = module, bool(state["mixes"])

    def attach(self, module: nn.Module) -> None:
        """See :meth:`GradientEngine.attach`.

        :raises ValueError: if the model cannot be shared exactly between processes.
        :raises ProcessError: if the processes have different parameters.
        """
        self.inner.attach(module)
        self._forget()
        self._mixes = False if module is not self._module else self._mixes
        self._module = module
        check_shareable(module, self.placement)
        self._norms = [each for each in modules_of(module) if isinstance(each, _BatchNorm)]
        self._statistics = BatchStatistics(module)
        own = {id(b) for each in self._norms for b in each.buffers(recurse=False)}
        self._buffers = [(name, b) for name, b in module.named_buffers() if id(b) not in own]
        self.processes.agree("parameters", sums_of(module))

    def forward(self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]) -> Pass:
        """See :meth:`GradientEngine.forward`.

        :param batches: tensors ``[b, ...]``, or tuples of such, the same on all processes.
        :raises ValueError: if they cannot be put one after the other.
        """
        whole = join(batches)
        if whole is None:
            raise ValueError(
                "`batches` must be tensors that differ in their first dimension only, or tuples of "
                "such: others cannot be shared between processes."
            )
        shares = self._shares(model, whole)
        if self._width is None:
            self.processes.agree("samples or placements", digest_of_tick(whole, shares))
        own = shares[self.processes.rank]
        versions = [buffer._version for _, buffer in self._buffers]
        has_statistics = self._statistics is not None and self._statistics.save()
        with self._random.drawn():
            made = self.inner.forward(model, cut(whole, own)) if own else None
        self._check_buffers(versions)
        statistics = self._statistics if has_statistics else None
        output, found = self._gather(made, shares, whole, statistics)
        if statistics is not None and found is not None:
            samples = [sum(each.stop - each.start for each in taken) for taken in shares]
            is_whole = not cuts_objectives(shares, whole.sizes)
            if is_whole and not is_in_order(shares):
                raise ValueError(
                    f"`placement` {self.placement!r} does not keep the order of the objectives, in "
                    "which batch norm counts them: give successive ones to each process."
                )
            statistics.settle(found, samples, whole=is_whole)
        return DistributedPass(output, whole.sizes, shares, made, self._exchange)

    # Shares

    def _shares(self, model: Callable[[Any], Tensor], batches: Batches) -> list[list[Share]]:
        is_synced = any(isinstance(each, nn.SyncBatchNorm) for each in self._norms)
        placement: Placement = BySample() if is_synced else self.placement
        is_coupled = any(each.training or each.running_mean is None for each in self._norms)
        shares = self._placed(placement, batches, is_coupled)
        if is_synced and any(len(own) < len(batches) for own in shares):
            raise ValueError(
                f"`model` has SyncBatchNorm, for which each of {self.processes.size} processes "
                f"needs a sample of every objective, but one has {min(batches.sizes)}: use larger "
                "minibatches."
            )
        is_cut = cuts_objectives(shares, batches.sizes)
        if is_coupled and is_cut and any(s.stop - s.start == 1 for own in shares for s in own):
            raise ValueError(
                "`model` has batch norm, which cannot normalise the single sample that a process "
                f"has of an objective with {placement!r}: use distributed='by-objective', or "
                "larger minibatches."
            )
        if self._has_tried_cuts or not is_cut or is_synced:
            return shares
        self._has_tried_cuts = True
        if is_coupled:
            warnings.warn(
                "`model` has batch norm, which normalises each share of an objective by itself: "
                "use distributed='by-objective' for the statistics of one process, or "
                "SyncBatchNorm.",
                stacklevel=2,
            )
        elif self._mixes_samples(model, batches, shares):
            if not isinstance(placement, Automatic):
                raise ValueError(
                    "`model` mixes the samples of a batch, so that an objective cannot be cut: use "
                    f"distributed='by-objective' in place of {placement!r}."
                )
            self._mixes = True
            return self._placed(placement, batches, is_coupled)
        return shares

    def _placed(
        self, placement: Placement, batches: Batches, is_coupled: bool
    ) -> list[list[Share]]:
        number, coupled = self.processes.size, is_coupled or self._mixes
        return placement.shares(batches.sizes, batches.groups, number, coupled=coupled)

    def _mixes_samples(
        self, model: Callable[[Any], Tensor], batches: Batches, shares: Sequence[Sequence[Share]]
    ) -> bool:
        """Whether outputs of a share differ from those of the whole objective.

        All processes look at the same samples, and find the same. Models that draw random numbers
        are not looked at.
        """
        if self._module is None:
            return False
        share = next(
            s for own in shares for s in own if s.stop - s.start < batches.sizes[s.objective]
        )
        start = sum(batches.sizes[: share.objective])
        whole = Share(share.objective, start, start + batches.sizes[share.objective])
        state = ForwardState(self._module, structure_of(self._module), thorough=True)
        try:
            with torch.no_grad():
                of_whole = model(cut(batches, [whole])[0])
                if state.written() == "its forward pass draws random numbers":
                    return False
                of_share = model(cut(batches, [share])[0])
        finally:
            state.restore()
        expected = of_whole[share.start - start : share.stop - start]
        return not agree(of_share, expected, max(_ROUNDING, tolerance_of([expected.dtype])))

    def _check_buffers(self, versions: Sequence[int]) -> None:
        for (name, buffer), version in zip(self._buffers, versions, strict=True):
            if buffer._version != version:
                raise ValueError(
                    f"`model` writes to its buffer {name!r} in the forward pass, so that processes "
                    "would differ: keep it out of the pass, or train in one process."
                )

    # Outputs

    def _gather(
        self,
        made: Pass | None,
        shares: Sequence[Sequence[Share]],
        batches: Batches,
        statistics: BatchStatistics | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Gather the outputs of all samples, ``[N, ...]``, and statistics of all processes."""
        own: Tensor | None = None
        if made is not None:
            joined = made.joined if made.joined is not None else torch.cat(list(made.outputs))
            own = joined.detach()
        kind, shape = self._known_shape(own, batches)
        samples = [sum(each.stop - each.start for each in taken) for taken in shares]
        if own is None or len(own) < max(samples):
            padded = torch.zeros((max(samples), *shape), dtype=kind, device=self.processes.device)
            if own is not None:
                padded[: len(own)] = own
            own = padded
        exchanged = {"outputs": own}
        if statistics is not None:
            exchanged["statistics"] = statistics.own()
        gathered, *others = self.processes.gather_together(exchanged)
        found = others[0] if others else None
        if min(samples) == max(samples):
            output = gathered.flatten(0, 1)
        else:
            pairs = zip(gathered, samples, strict=True)
            output = torch.cat([piece[:number] for piece, number in pairs])
        if is_in_order(shares):
            return output, found
        order = [(each.start, each.stop) for taken in shares for each in taken]
        ordered = torch.empty_like(output)
        start = 0
        for low, high in order:
            ordered[low:high] = output[start : start + high - low]
            start += high - low
        return ordered, found

    def _known_shape(
        self, own: Tensor | None, batches: Batches
    ) -> tuple[torch.dtype, tuple[int, ...]]:
        """Type and shape of one sample's output, which a process without samples must be told."""
        if self._width is None:
            told = torch.zeros(2 + _DIMENSIONS, dtype=torch.int64, device=self.processes.device)
            if own is not None:
                if own.ndim < 1 or own.ndim - 1 > _DIMENSIONS or own.dtype not in _KINDS:
                    raise ValueError(
                        "`model` must return a tensor of real numbers with one row for each sample "
                        f"and at most {_DIMENSIONS} further dimensions, found {own.dtype} of shape "
                        f"{tuple(own.shape)}."
                    )
                told[0], told[1] = own.ndim, _KINDS.index(own.dtype)
                told[2 : 1 + own.ndim] = torch.tensor(own.shape[1:])
            rows = self.processes.gather(told, "outputs").tolist()
            ndim, kind, *shape = next(row for row in rows if row[0])
            self._kind, self._width = _KINDS[kind], tuple(shape[: ndim - 1])
        if own is not None and (tuple(own.shape[1:]) != self._width or own.dtype != self._kind):
            raise ValueError(
                f"`model` has returned outputs of shape [b, {', '.join(map(str, own.shape[1:]))}] "
                f"after others of shape [b, {', '.join(map(str, self._width))}]: outputs of an "
                "experience must be alike in several processes."
            )
        return self._kind, self._width


_DIMENSIONS = 6  # of an output, at most
_ROUNDING = 1e-2  # of outputs, where layers compute in bfloat16
_KINDS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
