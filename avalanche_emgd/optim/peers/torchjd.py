"""TorchJD's weightings that remember nothing, by the names of the field.

TorchJD keeps some thresholds in absolute terms. All methods here but the random one give the same
weights to gradients of any length, or are made to. They see a Gramian whose longest gradient has
length one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor
from torchjd.aggregation import (
    AlignedMTLWeighting,
    CAGradWeighting,
    FairGradWeighting,
    IMTLGWeighting,
    PCGradWeighting,
    RandomWeighting,
    SumWeighting,
    UPGradWeighting,
    Weighting,
)

from ..._numbers import check_positive
from ..checks import without_negligible
from .base import PeerWeighting

__all__ = ["IMTLG", "RLW", "AlignedMTL", "CAGrad", "FairGrad", "PCGrad", "Sum", "UPGrad"]


class _TorchJDWeighting(PeerWeighting):
    """A weighting of TorchJD's, of the Gramian alone.

    :param inner: weighting of Gramians of any size.
    """

    def __init__(self, inner: Weighting) -> None:
        super().__init__()
        self.inner = inner

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        largest = float(gramian.diagonal().max())
        if largest == 0.0:  # all gradients are zero: nothing to weigh
            return torch.full((len(gramian),), 1.0 / len(gramian), dtype=torch.float64)
        return self._ask(without_negligible(gramian / largest))

    def _ask(self, gramian: Tensor) -> Tensor:
        return self.inner(gramian)


class Sum(_TorchJDWeighting):
    """The plain sum of the gradients."""

    def __init__(self) -> None:
        super().__init__(SumWeighting())


class PCGrad(_TorchJDWeighting):
    """PCGrad (Yu et al., "Gradient surgery for multi-task learning", NeurIPS 2020)."""

    def __init__(self) -> None:
        super().__init__(PCGradWeighting())


class IMTLG(_TorchJDWeighting):
    """IMTL-G (Liu et al., "Towards impartial multi-task learning", ICLR 2021)."""

    def __init__(self) -> None:
        super().__init__(IMTLGWeighting())


class CAGrad(_TorchJDWeighting):
    """CAGrad (Liu et al., "Conflict-averse gradient descent", NeurIPS 2021).

    :param c: radius of the ball around the average, as a share of its length, ≥ 0; 0.4 is what the
        authors use on vision benchmarks.
    """

    def __init__(self, c: float = 0.4) -> None:
        super().__init__(CAGradWeighting(c=c))


class AlignedMTL(_TorchJDWeighting):
    """Aligned-MTL (Senushkin et al., "Independent component alignment", CVPR 2023)."""

    def __init__(self) -> None:
        super().__init__(AlignedMTLWeighting())


class UPGrad(_TorchJDWeighting):
    """UPGrad (Quinton and Rey, "Jacobian descent", arXiv 2406.16232)."""

    def __init__(self) -> None:
        super().__init__(UPGradWeighting())


class FairGrad(_TorchJDWeighting):
    """FairGrad (Ban and Ji, "Fair resource allocation in multi-task learning", ICML 2024).

    The paper's weights grow as gradients shrink. Here they are scaled to the sum one. So the step
    is as long as that of the other methods, also for n = 1. An objective without gradient, for
    which there is no fair weight, gets none.

    :param alpha: kind of fairness, > 0; 1 is proportional fairness (Nash bargaining).
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, alpha: float = 2.0) -> None:
        check_positive("alpha", alpha)
        super().__init__(FairGradWeighting(alpha=alpha))

    def _ask(self, gramian: Tensor) -> Tensor:
        kept = gramian.diagonal() > 0.0
        weights = torch.zeros(len(gramian), dtype=torch.float64)
        found = self.inner(gramian[kept][:, kept])
        weights[kept] = found / found.sum()
        return weights


class RLW(_TorchJDWeighting):
    """Random loss weighting (Lin et al., TMLR 2022): softmax of normal numbers at each tick.

    Drawn from torch's global generator.
    """

    def __init__(self) -> None:
        super().__init__(RandomWeighting())
