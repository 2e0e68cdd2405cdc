"""Gradient vaccine, with a memory of pairs of objectives."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchjd.aggregation import GradVacWeighting

from .base import PeerWeighting

__all__ = ["GradVac"]


class GradVac(PeerWeighting):
    """GradVac (Wang et al., "Gradient vaccine", ICLR 2021), computed by TorchJD.

    TorchJD 0.18 forgets its targets for the similarity of each pair as soon as n changes. Here each
    pair of objectives keeps its own, and TorchJD receives it before each call. A new pair starts at
    0.

    :param beta: share of the present in the moving average of similarities, in [0, 1].
    """

    def __init__(self, beta: float = 0.5) -> None:
        super().__init__()
        self.inner = GradVacWeighting(beta=beta)

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        pairs: list[Hashable] = [(i, j) for i in objectives for j in objectives]
        targets = torch.tensor([self._state.get(p, 0.0) for p in pairs], dtype=torch.float64)
        # There is no public way in: load_state_dict refuses what a fresh one does not have yet.
        inner: Any = self.inner
        inner._phi_t = targets.view(len(gramian), len(gramian))
        inner._state_key = (len(gramian), torch.float64)
        # TorchJD adds 1e-8 to products of lengths: make the longest gradient one long.
        weights = inner(gramian / (float(gramian.diagonal().max()) or 1.0))
        self._state.update(zip(pairs, inner._phi_t.flatten().tolist(), strict=True))
        inner.reset()  # the state is here, and in no second place
        return weights

    def forget(self, objectives: Iterable[Hashable]) -> None:
        """Drop the pairs with objectives that do not return."""
        gone = set(objectives)
        for pair in list(self._state):
            if isinstance(pair, tuple) and not gone.isdisjoint(pair):
                del self._state[pair]
