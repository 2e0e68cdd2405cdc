"""How the gradient of a loss by the parameters changes with the inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp

__all__ = ["Product", "directional_derivative", "product_gradient"]

Product = Literal["double-backward", "forward"]


def product_gradient(
    loss: Callable[[Tensor], Tensor],
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    x: Tensor,
    v: Tensor,
    product: Product = "double-backward",
) -> Tensor:
    r"""Gradient by the inputs of how far the gradient by the parameters points along a vector.

    .. math:: \nabla_x \langle \nabla_\theta L(x; \theta), v \rangle

    with v held fixed: for v = ∇_θ L(x; θ) − u it is the gradient of ½‖∇_θ L(x; θ) − u‖².
    ``"double-backward"`` differentiates a backward pass, ``"forward"`` takes the derivative of
    ∇_x L along v in forward mode (Pearlmutter, Neural Computation, 1994); both are exact. The
    first costs less where launching operations is what costs, the second where arithmetic is. No
    ``grad`` of any parameter is touched.

    :param loss: scalar function of inputs, by way of the live parameters of ``model``. It must not
        change anything in place: see :func:`~avalanche_emgd.models.modes.frozen_statistics`.
    :param model: model with which the loss is computed.
    :param parameters: parameters of the model, with P elements in all.
    :param x: inputs ``[b, ...]``.
    :param v: vector ``[P]``, in the order of the parameters.
    :param product: way of computing the product.
    :return: of the shape of ``x``.
    :raises ValueError: if ``product`` is none of these.
    """
    if product not in get_args(Product):
        raise ValueError(
            f"`product` must be one of {', '.join(get_args(Product))}, found {product!r}."
        )
    pieces = _split(v, parameters)
    if product == "double-backward":
        return _by_double_backward(loss, parameters, x, pieces)
    values, tangents = _named(model, parameters, pieces)
    live = _Live(model, loss)

    def by_inputs(at: dict[str, Tensor]) -> Tensor:
        return grad(lambda inputs: functional_call(live, at, (inputs,)))(x.detach())

    return jvp(by_inputs, (values,), (tangents,))[1]


def _by_double_backward(
    loss: Callable[[Tensor], Tensor],
    parameters: Sequence[nn.Parameter],
    x: Tensor,
    pieces: Sequence[Tensor],
) -> Tensor:
    inputs = x.detach().requires_grad_()
    gradients = torch.autograd.grad(loss(inputs), parameters, create_graph=True, allow_unused=True)
    terms = [
        (gradient * piece).sum()
        for gradient, piece in zip(gradients, pieces, strict=True)
        if gradient is not None
    ]
    total = torch.stack(terms).sum()
    found = torch.autograd.grad(total, inputs, allow_unused=True)[0]
    return torch.zeros_like(x) if found is None else found


def directional_derivative(
    function: Callable[[Tensor], Tensor],
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    x: Tensor,
    v: Tensor,
) -> tuple[Tensor, Tensor]:
    """Value of a function of inputs, and its derivative as the parameters move along a vector.

    :param function: function of inputs, by way of the live parameters of ``model``; changes nothing
        in place.
    :param model: model with which the function is computed.
    :param parameters: parameters of the model, with P elements in all.
    :param x: inputs ``[b, ...]``.
    :param v: vector ``[P]``, in the order of the parameters.
    :return: two tensors of the shape of the function's value.
    """
    values, tangents = _named(model, parameters, _split(v, parameters))
    live = _Live(model, function)
    found = jvp(lambda at: functional_call(live, at, (x.detach(),)), (values,), (tangents,))
    return found[0], found[1]


class _Live(nn.Module):
    """A function of a model's live parameters as a module, so that others can take their place."""

    def __init__(self, model: nn.Module, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        # In a tuple: a function that is a module itself must not be registered a second time.
        self._function = (function,)

    def forward(self, x: Tensor) -> Tensor:
        return self._function[0](x)


def _split(v: Tensor, parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """Split a flat vector into pieces of the shapes of the parameters."""
    sizes = [parameter.numel() for parameter in parameters]
    return [
        piece.view_as(parameter)
        for piece, parameter in zip(v.split(sizes), parameters, strict=True)
    ]


def _named(
    model: nn.Module, parameters: Sequence[nn.Parameter], pieces: Sequence[Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Values and tangents of parameters by their names in :class:`_Live`."""
    names = {id(parameter): f"model.{name}" for name, parameter in model.named_parameters()}
    values = {names[id(parameter)]: parameter.detach() for parameter in parameters}
    return values, dict(zip(values, pieces, strict=True))
