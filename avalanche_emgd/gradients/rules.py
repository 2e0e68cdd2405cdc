"""Rules: gradients of one objective by a layer's parameters from activations and backprops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from .batch_norm import is_batch_norm

__all__ = ["GradientRule", "gradient_rule", "has_rule", "is_known", "rule_of", "why_rule_fails"]

GradientRule = Callable[[Any, Tensor, Tensor], Mapping[str, Tensor]]
"""``rule(layer, inputs, gradients)`` takes the inputs ``[b, ...]`` of a layer and the gradients
``[b, ...]`` of a loss by its outputs. It returns the gradients by the parameters, by name, summed
over samples. A layer with a rule must treat each sample by itself."""

Rule = TypeVar("Rule", bound=GradientRule)

_RULES: dict[type[nn.Module], GradientRule] = {}
# Forward methods at registration: a class can be patched afterwards.
_FORWARDS: dict[type[nn.Module], Any] = {}


def gradient_rule(kind: type[nn.Module]) -> Callable[[Rule], Rule]:
    """Register the rule of a type of layers; subclasses need rules of their own.

    :param kind: type of layers whose ``forward`` takes one tensor and returns one.
    """

    def register(rule: Rule) -> Rule:
        _RULES[kind], _FORWARDS[kind] = rule, kind.forward
        return rule

    return register


def rule_of(layer: nn.Module) -> GradientRule:
    """Rule for exactly the type of a layer.

    :raises KeyError: if there is none.
    """
    return _RULES[type(layer)]


def has_rule(layer: nn.Module) -> bool:
    """Whether there is a rule for exactly the type of a layer."""
    return type(layer) in _RULES


def is_known(layer: nn.Module) -> bool:
    """Whether one pass can give the gradients of each objective by a layer's parameters."""
    return has_rule(layer) or is_batch_norm(layer)


def why_rule_fails(layer: nn.Module) -> str | None:
    """Say why the rule of a layer's type does not hold for one layer; ``None`` if it does.

    :param layer: layer for which :func:`is_known` is true.
    """
    kind = type(layer)
    if "forward" in vars(layer) or kind.forward is not _FORWARDS.get(kind, kind.forward):
        return "has another `forward`"
    if any(p is not None and p.is_complex() for p in layer._parameters.values()):
        return "has complex parameters"
    if getattr(layer, "track_running_stats", False) and not is_batch_norm(layer):
        return "has running statistics"
    if kind is nn.Embedding and (layer.max_norm is not None or layer.scale_grad_by_freq):
        return "couples samples by `max_norm` or `scale_grad_by_freq`"
    return None


@gradient_rule(nn.Linear)
def _linear(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    outer = gradients.flatten(0, -2).T @ inputs.flatten(0, -2)
    return {"weight": outer, "bias": gradients.flatten(0, -2).sum(dim=0)}


@gradient_rule(nn.Conv1d)
@gradient_rule(nn.Conv2d)
@gradient_rule(nn.Conv3d)
def _convolution(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    padding = layer.padding
    if isinstance(padding, str) or layer.padding_mode != "zeros":
        inputs = functional.pad(
            inputs,
            layer._reversed_padding_repeated_twice,
            mode="constant" if layer.padding_mode == "zeros" else layer.padding_mode,
        )
        padding = (0,) * len(layer.kernel_size)
    return _by_convolution(layer, inputs, gradients, padding)


@gradient_rule(nn.ConvTranspose1d)
@gradient_rule(nn.ConvTranspose2d)
@gradient_rule(nn.ConvTranspose3d)
def _transposed(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    return _by_convolution(layer, inputs, gradients, layer.padding)


def _by_convolution(
    layer: Any, inputs: Tensor, gradients: Tensor, padding: Sequence[int]
) -> Mapping[str, Tensor]:
    """Gradients by kernel and bias, without those by the inputs."""
    if inputs.ndim != layer.weight.ndim:
        raise ValueError(f"{type(layer).__name__} was called with a single sample")
    _, weight, bias = torch.ops.aten.convolution_backward(
        gradients,
        inputs,
        layer.weight,
        None if layer.bias is None else list(layer.bias.shape),
        layer.stride,
        padding,
        layer.dilation,
        layer.transposed,
        layer.output_padding,
        layer.groups,
        (False, True, layer.bias is not None),
    )
    return {"weight": weight} if layer.bias is None else {"weight": weight, "bias": bias}


@gradient_rule(nn.LayerNorm)
def _layer_norm(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    normalised = functional.layer_norm(inputs, layer.normalized_shape, eps=layer.eps)
    rest = tuple(range(inputs.ndim - len(layer.normalized_shape)))
    return {"weight": (gradients * normalised).sum(dim=rest), "bias": gradients.sum(dim=rest)}


@gradient_rule(nn.GroupNorm)
def _group_norm(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    normalised = functional.group_norm(inputs, layer.num_groups, eps=layer.eps)
    rest = (0, *range(2, inputs.ndim))
    return {"weight": (gradients * normalised).sum(dim=rest), "bias": gradients.sum(dim=rest)}


@gradient_rule(nn.InstanceNorm1d)
@gradient_rule(nn.InstanceNorm2d)
@gradient_rule(nn.InstanceNorm3d)
def _instance_norm(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    if inputs.ndim == layer._get_no_batch_dim():
        raise ValueError(f"{type(layer).__name__} was called with a single sample")
    normalised = functional.instance_norm(inputs, eps=layer.eps)
    rest = (0, *range(2, inputs.ndim))
    return {"weight": (gradients * normalised).sum(dim=rest), "bias": gradients.sum(dim=rest)}


@gradient_rule(nn.Embedding)
def _embedding(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    flat = gradients.reshape(-1, gradients.shape[-1])
    if layer.padding_idx is not None:
        flat = flat * (inputs.reshape(-1) != layer.padding_idx)[:, None]
    weight = torch.zeros_like(layer.weight).index_add_(0, inputs.reshape(-1), flat)
    return {"weight": weight}
