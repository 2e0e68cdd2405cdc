"""Rules of memory editing: the direction in which replayed images move."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..._numbers import check_not_negative
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
    """The replayed minibatch of an objective, with the weights of its tick.

    :param x: inputs ``[b, ...]`` on the device of the model.
    :param loss: function from inputs in the place of ``x`` to their mean loss.
    :param model: model of the strategy.
    :param parameters: trained parameters, with P elements.
    :param gradient: gradient g_M of the objective, ``[P]``.
    :param direction: common direction u = Σ λ_i g_i, ``[P]``; the update is along −u.
    :param look_ahead: function that returns a step of plain gradient descent on the active tasks'
        mean loss, ``[P]``.
    """

    x: Tensor
    loss: Callable[[Tensor], Tensor]
    model: nn.Module
    parameters: list[nn.Parameter]
    gradient: Tensor
    direction: Tensor
    look_ahead: Callable[[], Tensor]


class EditingRule(ABC):
    """Rule of memory editing: the gradient, by the pixels, of a function that edits decrease."""

    @abstractmethod
    def gradient(self, replayed: Replayed) -> Tensor:
        """Compute the gradient by the inputs, with weights and direction held fixed.

        :param replayed: replayed minibatch.
        :return: gradient, of the shape of ``replayed.x``.
        """


class _Matching(EditingRule):
    """Rules with the gradient ∇_x ⟨g_M(x), v⟩ for a vector v.

    :param product: method of differentiation, as in
        :func:`~avalanche_emgd.gradients.input_gradient.product_gradient`.
    """

    def __init__(self, product: Product = "double-backward") -> None:
        self.product = product

    @abstractmethod
    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """Compute v, ``[P]``."""

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
    """Rule that decreases ½‖g_M − u‖² (arXiv 2401.01054)."""

    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """Compute g_M − u."""
        return gradient - direction


class Cosine(_Matching):
    """Rule that increases the cosine of the angle between g_M and u."""

    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """Compute −(û − cos · ĝ_M) from unit vectors; the length of the result has no meaning."""
        ours = nn.functional.normalize(gradient, dim=0)
        theirs = nn.functional.normalize(direction, dim=0)
        return (ours @ theirs) * ours - theirs


class Agreement(_Matching):
    """Rule that increases ⟨g_M, u⟩, the first-order decrease of the replayed loss."""

    def vector(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """Compute −u."""
        return -direction


class GMEDRule(EditingRule):
    """Gradient-based memory editing (Jin et al., NeurIPS 2021).

    The rule increases L(x; θ′) − (1 + β) L(x; θ), where θ′ = θ − η ḡ is a look-ahead step on the
    active tasks. It thus increases the harm of this step to the image, and decreases the current
    loss. The paper also decays the step with the number of edits. Here the ball around the original
    bounds edits instead.

    :param beta: weight β ≥ 0 of the current loss.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, beta: float = 0.01) -> None:
        check_not_negative("beta", beta)
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
    """Add ``by`` to the parameters within the context, and restore them exactly afterwards."""
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
"""Rules by name."""
