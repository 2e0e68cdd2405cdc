"""Gradient engines: from a model and one batch per objective to one gradient per objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from torch import Tensor, nn

from .objective_gradients import ObjectiveGradients

__all__ = ["GradientEngine", "Losses", "Pass"]

Batch = TypeVar("Batch")
Losses = Sequence[Tensor] | Tensor


class Pass(ABC):
    """Outputs of the objectives of one tick, and the way to differentiate their losses.

    A pass is released, with its graphs, when the last reference to it goes.
    """

    outputs: Sequence[Tensor]
    """One output for each of the n objectives."""
    joined: Tensor | None = None
    """Outputs one after the other, where they are pieces of one tensor; ``None`` otherwise."""

    @abstractmethod
    def gradients(
        self,
        losses: Losses,
        parameters: Sequence[Tensor],
        *,
        retain_graph: bool = False,
        separable: bool = False,
    ) -> ObjectiveGradients:
        """One flat gradient per loss.

        :param losses: n scalars, or a tensor ``[n]``, functions of :attr:`outputs`.
        :param parameters: parameters with P elements in all, all of one dtype.
        :param retain_graph: whether to keep the graphs for another backward pass.
        :param separable: assertion that loss k depends on the outputs of objective k alone, and on
            no parameter but through these. A pass finds out where it is not asserted, if it must.
        :return: gradients in the dtype of the parameters and in their order. The memory is the
            engine's, and the next call reuses it.
        """

    def backward(self, loss: Tensor, parameters: Sequence[Tensor]) -> None:
        """Add the gradients of a further loss to ``grad``; the graphs are kept.

        :param loss: scalar, a function of :attr:`outputs` and of other tensors.
        :param parameters: parameters of the model that the outputs depend on.
        """
        loss.backward(retain_graph=True)


class GradientEngine(ABC):
    """Makes the passes that one gradient per objective is computed from.

    An engine may share work between objectives, as long as its passes return what those of
    :class:`~avalanche_emgd.gradients.PlainEngine` return.
    """

    def attach(self, module: nn.Module) -> None:  # noqa: B027  # some engines ignore it
        """Set the model that the batches are forwarded through; some engines ignore it.

        :param module: model with all trained parameters.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return the state as tensors, numbers and text; empty for an engine without one."""
        return {}

    def load_state_dict(  # noqa: B027  # some engines have no state
        self, state: Mapping[str, Any], module: nn.Module
    ) -> None:
        """Restore the state of :meth:`state_dict`.

        :param state: state.
        :param module: model with the architecture of that time.
        """

    @abstractmethod
    def forward(self, model: Callable[[Batch], Tensor], batches: Sequence[Batch]) -> Pass:
        """Forward the batch of each objective.

        Each is forwarded as if alone; the groups of a :class:`~avalanche_emgd.gradients.Batches`
        are forwarded as if each were one batch.

        :param model: function from a batch to an output, with one row for each sample.
        :param batches: one for each objective.
        """
