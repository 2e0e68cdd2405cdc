"""Orthogonal gradients of equal length."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor
from torchjd.aggregation import AlignedMTLWeighting

from .base import PeerWeighting

__all__ = ["OrthogonalSum"]


class OrthogonalSum(PeerWeighting):
    r"""The gradients' part of SPCL (arXiv 2407.08214): the sum of orthogonalised gradients.

    The nearest orthogonal system U Vᵀ, scaled by the smallest non-zero singular value, replaces the
    gradients G = U Σ Vᵀ (one per row). Its rows are summed up. In terms of the Gramian M the
    weights are :math:`\sigma_{\min} M^{-1/2} \mathbf 1`. That is the transformation of Aligned-MTL,
    which TorchJD computes, with the sum in place of the mean.
    """

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        preference = torch.ones(len(gramian), dtype=torch.float64)
        return AlignedMTLWeighting(preference)(gramian)
