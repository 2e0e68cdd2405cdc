"""What all peers' weightings share."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..objectives import ObjectiveWeighting

__all__ = ["PeerWeighting"]


class PeerWeighting(ObjectiveWeighting):
    """Weighting of a method from the literature, made fit for objectives that come and go.

    A lone objective is trained by plain gradient descent, whatever the method makes of n = 1. State
    is kept for each objective identity. Weights that are not finite are an error.
    """

    def __init__(self) -> None:
        super().__init__()
        self._state: dict[Hashable, Any] = {}

    def _weights(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        self._observe(gramian, objectives)
        if len(objectives) == 1:
            return torch.ones(1, dtype=torch.float64)
        weights = self._combine(gramian, objectives)
        if not bool(torch.isfinite(weights).all()):
            raise ValueError(
                f"{type(self).__name__} gives weights that are not finite, {weights.tolist()!r}, "
                f"for the objectives {list(objectives)!r} with gradients of lengths "
                f"{gramian.diagonal().clamp(min=0.0).sqrt().tolist()!r}."
            )
        return weights

    def _observe(self, gramian: Tensor, objectives: Sequence[Hashable]) -> None:
        """Take note of this tick, also where there is a lone objective."""

    @abstractmethod
    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        """Weights ``[n]`` float64, n ≥ 2."""

    @property
    def needs_gradients(self) -> bool:
        """Whether :meth:`see` must be called before each call."""
        return False

    @property
    def looks_back(self) -> bool:
        """Whether :meth:`look_back` is to be called after each update of the model."""
        return False

    def see(self, gradients: Tensor) -> Tensor | None:
        """Take the gradients of the objectives set, before the call with their Gramian.

        :param gradients: gradients ``[n, P]``; not kept beyond the next call.
        :return: gradients ``[n, P]`` to weigh and combine in their place; ``None`` for the
            gradients themselves.
        """
        return None

    def look_back(self, losses: Tensor) -> None:
        """Learn from the losses that the objectives of the last call have after the update.

        :param losses: losses ``[n]``, of the same samples.
        """

    def _given_losses(self) -> Tensor:
        if self._rows.losses is None:
            raise ValueError(
                f"{type(self).__name__} needs the losses of the objectives: call "
                "set_objectives(objectives, losses) before."
            )
        return self._rows.losses.cpu().double()

    def _given_positive_losses(self, objectives: Sequence[Hashable]) -> Tensor:
        """Losses of which a logarithm is taken, ``[n]``."""
        losses = self._given_losses()
        for objective, loss in zip(objectives, losses.tolist(), strict=True):
            if not 0.0 <= loss < math.inf:
                raise ValueError(
                    f"{type(self).__name__} takes logarithms of losses, which must be at least 0 "
                    f"and finite, found {loss!r} of the objective {objective!r}. Choose a loss "
                    "that is bounded below by 0, as cross-entropy is."
                )
        return losses

    def _rows_in_memory(self, n: int) -> Tensor:
        """Boolean ``[n]``: which objectives are replayed."""
        return torch.tensor(self._rows.replayed or [False] * n)

    def forget(self, objectives: Iterable[Hashable]) -> None:
        """Drop the state of objectives that do not return."""
        for objective in objectives:
            self._state.pop(objective, None)

    def reset(self) -> None:
        """Forget all objectives."""
        super().reset()
        self._state.clear()

    def get_extra_state(self) -> dict[str, Any]:
        """State as plain Python objects, for ``state_dict``."""
        return {"objectives": list(copy.deepcopy(self._state).items())}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore the state, for ``load_state_dict``."""
        self._state = dict(copy.deepcopy(state["objectives"]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"
