"""Serial continual learning with a replay memory, as weightings of two kinds of gradients.

The methods are made for one current task and a memory. Here several tasks are current at once: the
mean of their gradients g, and of their losses, takes the place of the current task's.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import quadprog
import torch
from torch import Tensor

from ..._numbers import check_in_range, check_not_negative
from ..checks import without_negligible
from .base import PeerWeighting

__all__ = ["AGEMWeighting", "ERWeighting", "GEMWeighting", "MEGAWeighting"]


class _ReplayWeighting(PeerWeighting):
    """All equal where nothing, or everything, is replayed."""

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        replayed = self._rows_in_memory(len(gramian))
        if not bool(replayed.any()) or bool(replayed.all()):
            return torch.full((len(gramian),), 1.0 / len(gramian), dtype=torch.float64)
        return self._mix(gramian, _mean_of(~replayed), replayed)

    def _mix(self, gramian: Tensor, current: Tensor, replayed: Tensor) -> Tensor:
        """Weights ``[n]``, from those of the mean of the current gradients and the mask of replay.

        :param current: weights ``[n]``, zero where replayed.
        :param replayed: boolean ``[n]``, some and not all true.
        """
        raise NotImplementedError


class ERWeighting(_ReplayWeighting):
    """Experience replay: a share for the memory, the rest for the mean of the current tasks.

    Chaudhry et al., "On tiny episodic memories in continual learning", 2019: a minibatch of which
    one half is new and the other replayed.

    :param share: share of the memory's gradient in the update, in [0, 1].
    :raises ValueError: if it is outside of this range.
    """

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        check_in_range("share", share, 0.0, 1.0)
        self.share = share

    def _mix(self, gramian: Tensor, current: Tensor, replayed: Tensor) -> Tensor:
        return (1.0 - self.share) * current + self.share * _mean_of(replayed)

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"share={self.share}"


class AGEMWeighting(_ReplayWeighting):
    """A-GEM: the current gradient, made orthogonal to the memory's where it would hurt it.

    Chaudhry et al., ICLR 2019, equation 11.
    """

    def _mix(self, gramian: Tensor, current: Tensor, replayed: Tensor) -> Tensor:
        memory = _mean_of(replayed)
        square = float(memory @ gramian @ memory)
        product = float(memory @ gramian @ current)
        if product >= 0.0 or square == 0.0:
            return current
        return current - product / square * memory


class GEMWeighting(_ReplayWeighting):
    r"""GEM: the vector nearest to the current gradient that raises the loss of no finished task.

    Lopez-Paz and Ranzato, NeurIPS 2017, equations 8 to 11: with a row g_k for each finished task
    (``memory_objectives="per-task"``), g + Σ v_k g_k with

    .. math:: \min_v\ \tfrac12 \|\textstyle\sum_k v_k g_k\|^2 + \sum_k v_k \langle g_k, g\rangle
        \quad\text{subject to}\quad v \ge \gamma

    Quadprog solves it on rows scaled to unit length. A millionth is added to the diagonal, because
    the solver needs a positive definite matrix. As in the authors' code, nothing is projected at
    ticks at which no row conflicts.

    :param margin: γ ≥ 0: pushes towards the memories more than needed.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, margin: float = 0.5) -> None:
        super().__init__()
        check_not_negative("margin", margin)
        self.margin = margin

    def _mix(self, gramian: Tensor, current: Tensor, replayed: Tensor) -> Tensor:
        gramian = without_negligible(gramian)
        rows = (replayed & (gramian.diagonal() > 0.0)).nonzero().flatten()
        products = gramian[rows] @ current
        if len(rows) == 0 or bool((products >= 0.0).all()):
            return current
        lengths = gramian.diagonal()[rows].sqrt()
        unit = gramian[rows][:, rows] / lengths[:, None] / lengths[None, :]
        unit.diagonal().add_(1e-6)
        # In units of the lengths, v_k ‖g_k‖; the objective is divided by the largest product.
        scaled = products / lengths
        size = float(scaled.abs().max())
        found = quadprog.solve_qp(
            unit.numpy(),
            (-scaled / size).numpy(),
            torch.eye(len(rows), dtype=torch.float64).numpy(),
            (self.margin * lengths / size).numpy(),
        )[0]
        weights = current.clone()
        weights[rows] = torch.from_numpy(found) * size / lengths
        return weights

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"margin={self.margin}"


class MEGAWeighting(_ReplayWeighting):
    """MEGA-II: the current gradient, turned towards the memory's by how their losses compare.

    The new direction keeps the length of the current gradient g and maximises ℓ cos β + ℓ_mem cos(θ
    − β) (Guo et al., NeurIPS 2020). θ is the angle between g and the memory's gradient, and β that
    between g and the new direction. Its stationary point is β = atan2(sin θ, ℓ/ℓ_mem + cos θ).
    """

    def _mix(self, gramian: Tensor, current: Tensor, replayed: Tensor) -> Tensor:
        losses, memory = self._given_losses(), _mean_of(replayed)
        length = math.sqrt(max(0.0, float(current @ gramian @ current)))
        reference = math.sqrt(max(0.0, float(memory @ gramian @ memory)))
        loss, loss_in_memory = float(current @ losses), float(memory @ losses)
        if reference == 0.0 or loss_in_memory == 0.0:
            return current
        if length == 0.0:
            return memory
        cosine = float(current @ gramian @ memory) / (length * reference)
        angle = math.acos(max(-1.0, min(1.0, cosine)))
        sine = math.sin(angle)
        if sine < 1e-6:  # parallel: every direction in between is one of the two
            keeps = cosine > 0.0 or loss >= loss_in_memory
            return current if keeps else memory * (length / reference)
        turn = math.atan2(loss_in_memory * sine, loss + loss_in_memory * math.cos(angle))
        share = math.sin(turn) / sine * (length / reference)
        return math.sin(angle - turn) / sine * current + share * memory


def _mean_of(rows: Tensor) -> Tensor:
    """Weights of the mean of the rows that are true."""
    return rows.double() / rows.sum()
