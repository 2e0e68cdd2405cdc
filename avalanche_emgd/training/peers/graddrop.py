"""Gradient sign dropout: a multi-task method without weights of objectives."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torchjd.aggregation import GradDrop, MeanWeighting
from typing_extensions import Unpack

from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["GradDropStrategy"]


class GradDropStrategy(MultiGradientTemplate):
    """GradDrop (Chen et al., "Just pick a sign", NeurIPS 2020), computed by TorchJD.

    For each parameter a random sign is drawn. Its probability increases with the agreement of the
    objectives. The update sums only the gradients of this sign. Objectives have no weights, so
    ``weights`` is empty. The signs come from torch's global generator.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting`` and
    ``memory_editing``.

    :raises ValueError: if ``memory_editing`` is given.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        if options.get("memory_editing") is not None:
            raise ValueError(
                "`memory_editing` needs weights of the objectives, and GradDrop has none: leave it "
                "out."
            )
        super().__init__(model, optimizer=optimizer, weighting=MeanWeighting(), **options)
        self._aggregator = GradDrop()

    def weigh(self) -> Tensor:
        """Return no weights, ``[0]``."""
        return torch.empty(0, dtype=torch.float64)

    def combine(self) -> Tensor:
        """Sum the shared gradients with the drawn signs, and all other gradients, ``[P]``."""
        if len(self.gradients) == 1:
            return self.gradients[0].clone()
        shared = self.gradients[:, : self.space.num_shared]
        rest = self.gradients[:, self.space.num_shared :]
        return torch.cat([self._aggregator(shared), rest.sum(dim=0)])
