"""SPCL: orthogonalised gradients and orthogonal convolution kernels."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...optim.peers import OrthogonalSum
from ..options import StrategyOptions
from ..plugins.orthogonality import ConvOrthogonalityPlugin
from ..templates import MultiGradientTemplate

__all__ = ["SPCLStrategy"]


class SPCLStrategy(MultiGradientTemplate):
    """SPCL (arXiv 2407.08214): orthogonalised gradients, and a penalty on convolution kernels.

    For a model without convolutions, the method consists of
    :class:`~avalanche_emgd.optim.peers.OrthogonalSum` alone. This weighting is n times that of
    Aligned-MTL, a factor with almost no effect on optimizers such as Adam.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting``.

    :param strength: strength of the penalty on kernels, ≥ 0.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        strength: float = 1e-4,
        **options: Unpack[StrategyOptions],
    ) -> None:
        penalty = ConvOrthogonalityPlugin(strength)
        options["plugins"] = [penalty, *(options.get("plugins") or [])]
        super().__init__(
            model,
            optimizer=optimizer,
            weighting=OrthogonalSum(),
            **options,
        )
