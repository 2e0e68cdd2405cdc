"""Weightings that depend on which objective each row of a Gramian is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchjd import Stateful
from torchjd.aggregation import Weighting

from .checks import check_identities, checked_gramian, name_of

__all__ = ["ObjectiveWeighting"]


class _Rows:
    """What each row of the next Gramian is; apart, since modules are slow at keeping things."""

    objectives: list[Hashable] | None = None
    losses: Tensor | None = None
    replayed: list[bool] | None = None


class ObjectiveWeighting(Weighting[Tensor], Stateful, ABC):
    """Weights of n gradients from their Gramian and from what else is known of each objective.

    TorchJD has no notion of which objective a row is. Where the set of objectives changes between
    calls, name them with :meth:`set_objectives` before each call; otherwise its index identifies a
    row. Weights are computed in float64 on the CPU, and are constants to autograd. They have the
    dtype of the Gramian (float64 for one of whole numbers) and its device.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows = _Rows()

    def set_objectives(
        self,
        objectives: Sequence[Hashable] | None,
        losses: Tensor | None = None,
        replayed: Sequence[bool] | None = None,
    ) -> None:
        """Set the objective of each row of the next Gramian; ``None`` goes back to indices.

        :param objectives: n identities.
        :param losses: losses ``[n]``, for weightings that use them.
        :param replayed: one boolean for each row: whether its samples come from a replay memory;
            none of them if omitted.
        """
        rows = self._rows
        rows.objectives = None if objectives is None else list(objectives)
        rows.losses = None if losses is None else losses.detach()
        rows.replayed = None if replayed is None else list(replayed)

    @torch.no_grad()
    def forward(self, gramian: Tensor, /) -> Tensor:
        """Weights ``[n]`` for the Gramian ``[n, n]``.

        :raises ValueError: if the Gramian is not a square matrix of finite real numbers with a
            diagonal ≥ 0; the error names the objective. Also if its size differs from the number of
            objectives set, or its dtype cannot hold the weights.
        """
        if (
            gramian.ndim != 2
            or not 0 < gramian.shape[0] == gramian.shape[1]
            or gramian.is_complex()
        ):
            raise ValueError(
                f"`gramian` must be a square matrix of real numbers, found shape "
                f"{tuple(gramian.shape)} of {gramian.dtype}."
            )
        objectives = self._rows.objectives
        if objectives is None:
            objectives = list(range(len(gramian)))
        check_identities(objectives, len(gramian))
        # Before any state sees it: a NaN must not get into a moving average.
        found = checked_gramian(gramian, objectives)
        weights = self._weights(found, objectives)
        if found.dtype == gramian.dtype:
            return weights if gramian.is_cpu else weights.to(gramian.device)
        dtype = gramian.dtype if gramian.is_floating_point() else torch.float64
        converted = weights.to(device=gramian.device, dtype=dtype)
        if not bool(torch.isfinite(converted).all()):
            raise ValueError(
                f"`gramian` is of {dtype}, which cannot hold the weights that {name_of(self)} "
                f"gives, {weights.tolist()!r}: compute it in float64."
            )
        return converted

    @abstractmethod
    def _weights(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        """Weights ``[n]`` float64, for a finite Gramian in float64 on the CPU."""

    def forget(self, objectives: Iterable[Hashable]) -> None:
        """Drop what is remembered of objectives that do not return."""

    def reset(self) -> None:
        """Forget all objectives."""
        self.set_objectives(None)

    def get_extra_state(self) -> dict[str, Any]:
        """Return what is remembered as plain Python objects, for ``state_dict``."""
        return {}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`get_extra_state` returned, for ``load_state_dict``."""
