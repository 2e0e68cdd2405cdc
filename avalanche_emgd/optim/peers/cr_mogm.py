"""CR-MOGM: a moving average of the weights that another weighting gives."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchjd.aggregation import ConstantWeighting, CRMOGMWeighting, Weighting

from ..._numbers import check_in_range
from ..elastic import ElasticName
from ..objectives import ObjectiveWeighting
from ..weighting import EMGDWeighting
from .base import PeerWeighting

__all__ = ["CRMOGM"]


class CRMOGM(PeerWeighting):
    r"""CR-MOGM (Zhou et al., NeurIPS 2022), computed by TorchJD.

    "On the convergence of stochastic multi-objective gradient manipulation and beyond":

    .. math:: \lambda_i \leftarrow \alpha \lambda_i + (1 - \alpha) \hat\lambda_i

    around any weighting with weights λ̂. TorchJD's average is for a fixed n. Here each objective
    has its own, which starts at its first λ̂ among others. Ticks at which the objective is away or
    alone do not change it.

    :param weighting: averaged weighting: the name of an elastic factor for
        :class:`~avalanche_emgd.optim.EMGDWeighting` (``"mgda"`` as in the paper) or any weighting
        of Gramians, from TorchJD or here.
    :param alpha: share of the past, in [0, 1]; TorchJD's default.
    :raises TypeError: if ``weighting`` is neither a name nor a weighting of Gramians.
    :raises ValueError: if ``alpha`` is out of range.
    """

    def __init__(
        self, weighting: ElasticName | Weighting[Tensor] = "mgda", alpha: float = 0.9
    ) -> None:
        super().__init__()
        check_in_range("alpha", alpha, 0.0, 1.0)
        if isinstance(weighting, str):
            weighting = EMGDWeighting(weighting)
        if not isinstance(weighting, Weighting):
            raise TypeError(
                "`weighting` must be the name of an elastic factor or a weighting of Gramians, "
                f"found {weighting!r}."
            )
        self.weighting: Weighting[Tensor] = weighting
        self.alpha = alpha

    def set_objectives(
        self,
        objectives: Sequence[Hashable] | None,
        losses: Tensor | None = None,
        replayed: Sequence[bool] | None = None,
    ) -> None:
        """See :meth:`~avalanche_emgd.optim.ObjectiveWeighting.set_objectives`."""
        super().set_objectives(objectives, losses, replayed)
        if isinstance(self.weighting, ObjectiveWeighting):
            self.weighting.set_objectives(objectives, losses, replayed)

    @property
    def needs_gradients(self) -> bool:
        """Whether the averaged weighting does."""
        return isinstance(self.weighting, PeerWeighting) and self.weighting.needs_gradients

    @property
    def looks_back(self) -> bool:
        """Whether the averaged weighting does."""
        return isinstance(self.weighting, PeerWeighting) and self.weighting.looks_back

    def see(self, gradients: Tensor) -> Tensor | None:
        """See :meth:`PeerWeighting.see`."""
        return self.weighting.see(gradients) if isinstance(self.weighting, PeerWeighting) else None

    def look_back(self, losses: Tensor) -> None:
        """See :meth:`PeerWeighting.look_back`."""
        if isinstance(self.weighting, PeerWeighting):
            self.weighting.look_back(losses)

    def _observe(self, gramian: Tensor, objectives: Sequence[Hashable]) -> None:
        self._found: Tensor = self.weighting(gramian).double()

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        found = self._found.tolist()
        before = [self._state.get(o, now) for o, now in zip(objectives, found, strict=True)]
        averaged = CRMOGMWeighting(
            ConstantWeighting(self._found), self.alpha, torch.tensor(before, dtype=torch.float64)
        )(gramian)
        self._state.update(zip(objectives, averaged.tolist(), strict=True))
        return averaged

    def forget(self, objectives: Iterable[Hashable]) -> None:
        """Drop the state of objectives that do not return."""
        gone = list(objectives)
        super().forget(gone)
        if isinstance(self.weighting, ObjectiveWeighting):
            self.weighting.forget(gone)

    def reset(self) -> None:
        """Forget all objectives."""
        super().reset()
        reset: Any = getattr(self.weighting, "reset", None)
        if reset is not None:
            reset()

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"{self.weighting!r}, alpha={self.alpha}"
