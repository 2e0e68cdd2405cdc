"""Base of weightings that remember whole gradients of each objective."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor

from .base import PeerWeighting

__all__ = ["GradientStateWeighting"]


class GradientStateWeighting(PeerWeighting):
    """Weighting that sees the gradients themselves; it keeps P numbers for each objective.

    :meth:`see` must be called before each call, after the objectives are set.
    """

    _has_seen = False

    @property
    def needs_gradients(self) -> bool:
        """Always."""
        return True

    def see(self, gradients: Tensor) -> Tensor | None:
        """See :meth:`PeerWeighting.see`.

        :raises ValueError: if the gradients are no matrix with one finite row per objective.
        """
        objectives = self._rows.objectives
        if objectives is None:
            objectives = list(range(len(gradients)))
        if gradients.ndim != 2 or len(gradients) != len(objectives) or not len(gradients):
            raise ValueError(
                f"`gradients` must be a matrix with {len(objectives)} rows, one per objective, "
                f"found shape {tuple(gradients.shape)}."
            )
        for objective, row in zip(objectives, gradients, strict=True):
            if not bool(torch.isfinite(row).all()):
                raise ValueError(f"`gradients` of the objective {objective!r} are not finite.")
        found = self._look(gradients.detach(), objectives)
        self._has_seen = True
        return found

    def move_state(self, positions: Tensor, size: int) -> None:
        """Move the state to other elements of a space that has grown; new elements are zero.

        :param positions: present positions of the former elements, ``[P_old]``.
        :param size: present number of elements P.
        """
        self._state = {o: _moved(state, positions, size) for o, state in self._state.items()}

    def _weights(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        if not self._has_seen:
            raise ValueError(
                f"{type(self).__name__} needs the gradients of the objectives: call "
                "see(gradients) before."
            )
        self._has_seen = False
        return super()._weights(gramian, objectives)

    @abstractmethod
    def _look(self, gradients: Tensor, objectives: Sequence[Hashable]) -> Tensor | None:
        """Update the state; see :meth:`PeerWeighting.see`.

        :param gradients: gradients ``[n, P]``, finite.
        """


def _moved(state: Any, positions: Tensor, size: int) -> Any:
    if isinstance(state, Tensor) and state.shape == positions.shape:
        return state.new_zeros(size).index_copy_(0, positions.to(state.device), state)
    if isinstance(state, dict):
        return {name: _moved(value, positions, size) for name, value in state.items()}
    if isinstance(state, (tuple, list)):
        return type(state)(_moved(value, positions, size) for value in state)
    return state
