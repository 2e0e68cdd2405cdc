"""SPCL: orthogonal gradients and orthogonal kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from avalanche.core import BasePlugin
from torch import nn
from torch.optim import Optimizer

from ...optim.peers import OrthogonalSum
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
        plugins: Sequence[BasePlugin] | None = None,
        **kwargs: Any,
    ) -> None:
        penalty = ConvOrthogonalityPlugin(strength)
        super().__init__(
            model,
            optimizer=optimizer,
            weighting=OrthogonalSum(),
            plugins=[penalty, *(plugins or [])],
            **kwargs,
        )
