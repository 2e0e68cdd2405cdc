"""FAMO: weights that learn from what the last update has done to the losses."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam

from ..._numbers import check_not_negative, check_positive
from .base import PeerWeighting

__all__ = ["FAMO"]

_LEAST_LOSS = 1e-8


class FAMO(PeerWeighting):
    r"""FAMO (Liu et al., "Fast adaptive multitask optimization", NeurIPS 2023).

    .. math:: \lambda_i = \frac{z_i / (L_i + \epsilon)}{\sum_j z_j / (L_j + \epsilon)}, \qquad
        z = \mathrm{softmax}(w), \qquad \epsilon = 10^{-8}

    After the update, Adam makes a step on w against the gradient :math:`J_z^\top \delta`. δ_i is
    the decrease of log(L_i + ε) on the same samples by the update. :meth:`look_back` takes the
    losses after the update, so a tick takes one more forward pass. TorchJD's ``FAMO`` is for a
    fixed n and has one count of steps for all; here logit, moments and count belong to the
    objective. With all objectives there from the start the weights are TorchJD's. A lone objective
    learns no logit.

    :param rate: learning rate of Adam, > 0; 0.025 in the paper.
    :param weight_decay: weight decay of the logits, ≥ 0; 0.001 in the paper's algorithm.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, rate: float = 0.025, weight_decay: float = 1e-3) -> None:
        super().__init__()
        check_positive("rate", rate)
        check_not_negative("weight_decay", weight_decay)
        self.rate, self.weight_decay = rate, weight_decay
        self._last: tuple[list[Hashable], Tensor] | None = None

    @property
    def looks_back(self) -> bool:
        """Always."""
        return True

    def _observe(self, gramian: Tensor, objectives: Sequence[Hashable]) -> None:
        self._last = (list(objectives), self._given_positive_losses(objectives) + _LEAST_LOSS)

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        losses = self._given_positive_losses(objectives) + _LEAST_LOSS
        weights = self._shares(objectives) / losses
        return weights / weights.sum()

    def look_back(self, losses: Tensor) -> None:
        """See :meth:`PeerWeighting.look_back`.

        :raises ValueError: if there has been no call before, or the number of losses differs.
        """
        if self._last is None or len(losses) != len(self._last[0]):
            raise ValueError(
                f"`losses` must be those of the objectives of the last call, one each, found "
                f"{len(losses)} after {0 if self._last is None else len(self._last[0])}."
            )
        (objectives, before), self._last = self._last, None
        if len(objectives) == 1:
            return
        after = losses.detach().cpu().double() + _LEAST_LOSS
        gained = before.log() - after.clamp(min=_LEAST_LOSS).log()
        shares = self._shares(objectives)
        slopes = shares * (gained - shares @ gained)
        states = [self._state.setdefault(objective, _fresh()) for objective in objectives]
        adam(
            [state["logit"] for state in states],
            list(slopes.float().unbind()),
            [state["mean"] for state in states],
            [state["square"] for state in states],
            [],
            [state["steps"] for state in states],
            foreach=False,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.rate,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )

    def _shares(self, objectives: Sequence[Hashable]) -> Tensor:
        """Softmax of the logits, ``[n]``."""
        logits = [float(self._state[o]["logit"]) if o in self._state else 0.0 for o in objectives]
        return torch.softmax(torch.tensor(logits, dtype=torch.float64), dim=0)

    def reset(self) -> None:
        """Forget all objectives."""
        super().reset()
        self._last = None

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"rate={self.rate}, weight_decay={self.weight_decay}"


def _fresh() -> dict[str, Tensor]:
    """Logit and Adam's state of an objective that has not been seen."""
    return {name: torch.zeros(()) for name in ("logit", "mean", "square", "steps")}
