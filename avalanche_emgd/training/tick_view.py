"""What plugins and loggers see of a tick."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..gradients import ObjectiveGradients
from .tick import Tick

__all__ = ["TickView"]


class TickView:
    """Properties of the current tick ``now``, or of the last one."""

    now: Tick

    @property
    def objectives(self) -> list[str]:
        """Names of the objectives of the last tick."""
        return self.now.objectives

    @property
    def replayed(self) -> list[bool]:
        """For each objective, whether it comes from a replay memory."""
        return self.now.replayed

    @property
    def raw_outputs(self) -> Sequence[Tensor]:
        """Outputs of each objective before the mask, ``[b, K]``; none between ticks."""
        return () if self.now.forward_pass is None else self.now.forward_pass.outputs

    @property
    def objective_losses(self) -> Tensor:
        """Losses of the objectives, ``[n]``, detached."""
        return self.now.objective_losses

    @property
    def objective_gradients(self) -> ObjectiveGradients:
        """Gradients of the objectives, which need not be laid out; plugins may replace them."""
        return self.now.gradients

    @objective_gradients.setter
    def objective_gradients(self, gradients: ObjectiveGradients) -> None:
        gradients.used = gradients.used or self.now.gradients.used
        self.now.gradients = gradients

    @property
    def gradients(self) -> Tensor:
        """Gradients of the objectives, ``[n, P]`` over ``space.parameters``.

        They are made at the first use, and valid until the next tick.
        """
        return self.now.gradients.rows

    @property
    def gramian(self) -> Tensor:
        """Inner products of the gradients, ``[n, n]`` float64 on the CPU; may be replaced.

        They are over the shared parameters only where these are given.
        """
        return self.now.gramian

    @gramian.setter
    def gramian(self, gramian: Tensor) -> None:
        self.now.gramian = gramian

    @property
    def weights(self) -> Tensor:
        """Weights of the objectives, ``[n]`` float64, from ``after_weighting`` on.

        Plugins may replace them.
        """
        return self.now.weights

    @weights.setter
    def weights(self, weights: Tensor) -> None:
        self.now.weights = weights
