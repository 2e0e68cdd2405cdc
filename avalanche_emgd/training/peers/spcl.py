"""SPCL: orthogonal gradients and orthogonal kernels."""

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

    On a model without convolutions only the gradients' part is left
    (:class:`~avalanche_emgd.optim.peers.OrthogonalSum`), which differs from Aligned-MTL by a factor
    n, to which an optimizer like Adam is almost blind.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``, and

    :param strength: of the penalty on kernels, ≥ 0.
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
