"""Which way replayed images are edited."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...gradients.input_gradient import Product, product_gradient

__all__ = [
    "EDITING_RULES",
    "Agreement",
    "Cosine",
    "Distance",
    "EditingRule",
    "GMEDRule",
    "Replayed",
]


@dataclass(frozen=True)
class Replayed:
    """The replayed minibatch of an objective, when the weights of its tick are known.

    :param x: inputs ``[b, ...]`` on the device of the model.
    :param loss: mean loss of inputs in the place of ``x``, by the live model.
    :param model: the model.
    :param parameters: trained ones, P elements.
    :param gradient: g_M of the objective, ``[P]``.
    :param direction: u = Σ λ_i g_i, ``[P]``: where the update descends along.
    :param look_ahead: gives what plain gradient descent on the active tasks' mean loss would add
        to the parameters, ``[P]``.
    """

    x: Tensor
    loss: Callable[[Tensor], Tensor]
    model: nn.Module
    parameters: list[nn.Parameter]
    gradient: Tensor
    direction: Tensor
    look_ahead: Callable[[], Tensor]


class EditingRule(ABC):
    """Gives the gradient by the pixels of what an edit is to lower."""

    @abstractmethod
    def gradient(self, replayed: Replayed) -> Tensor:
        """Gradient by the inputs, of their shape, weights and direction held fixed."""


class _Matching(EditingRule):
    """∇_x ⟨g_M(x), v⟩ for some v.

    :param product: see :func:`~avalanche_emgd.optim.input_gradient.product_gradient`.
    """

    def __init__(self, product: Product = "double-backward") -> None:
        self.product = product

    @abstractmethod
    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """v, ``[P]``."""

    def gradient(self, replayed: Replayed) -> Tensor:
        """See :meth:`EditingRule.gradient`."""
        return product_gradient(
            replayed.loss,
            replayed.model,
            replayed.parameters,
            replayed.x,
            self.vector(replayed.gradient, replayed.direction),
            self.product,
        )


class Distance(_Matching):
    """Lowers ½‖g_M − u‖²: the rule of arXiv 2401.01054."""

    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """g_M − u."""
        return gradient - direction


class Cosine(_Matching):
    """Raises the cosine of g_M and u, whatever their lengths."""

    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """−(û − cos · ĝ_M), with unit vectors; its length has no meaning."""
        ours = nn.functional.normalize(gradient, dim=0)
        theirs = nn.functional.normalize(direction, dim=0)
        return (ours @ theirs) * ours - theirs


class Agreement(_Matching):
    """Raises ⟨g_M, u⟩: by how much the update lowers the replayed loss, to first order."""

    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """−u."""
        return -direction


class GMEDRule(EditingRule):
    """Gradient-based memory editing (Jin et al., NeurIPS 2021).

    Raises L(x; θ′) − (1 + β) L(x; θ): how much a look-ahead step θ′ = θ − η ḡ on the active tasks
    would harm the image, and lowers its loss as it is. Their decay of the step with the number of
    edits is not taken: the ball bounds them.

    :param beta: β ≥ 0.
    """

    def __init__(self, beta: float = 0.01) -> None:
        if not 0.0 <= beta < float("inf"):
            raise ValueError(f"`beta` must be at least 0 and finite, found {beta!r}.")
        self.beta = beta

    def gradient(self, replayed: Replayed) -> Tensor:
        """See :meth:`EditingRule.gradient`."""
        now = _by_inputs(replayed)
        with _moved(replayed.parameters, replayed.look_ahead()):
            after = _by_inputs(replayed)
        return (1.0 + self.beta) * now - after


def _by_inputs(replayed: Replayed) -> Tensor:
    inputs = replayed.x.detach().requires_grad_()
    return torch.autograd.grad(replayed.loss(inputs), inputs)[0]


@contextmanager
def _moved(parameters: list[nn.Parameter], by: Tensor) -> Iterator[None]:
    """Context in which parameters are elsewhere; afterwards they are back, bit for bit."""
    saved = [parameter.detach().clone() for parameter in parameters]
    pieces = by.split([parameter.numel() for parameter in parameters])
    with torch.no_grad():
        for parameter, piece in zip(parameters, pieces, strict=True):
            parameter.add_(piece.view_as(parameter))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(parameters, saved, strict=True):
                parameter.copy_(value)


EDITING_RULES: Mapping[str, type[EditingRule]] = {
    "distance": Distance,
    "cosine": Cosine,
    "agreement": Agreement,
    "gmed": GMEDRule,
}
"""By name."""
