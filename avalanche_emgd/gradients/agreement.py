"""Comparison of gradients: equal but for rounding, or too small for a comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import torch
from torch import Tensor

from .convolutions import CONVOLUTIONS, gradients_at_once
from .gramian import exact
from .layer_gradient import LayerGradient
from .rules import rule_of

__all__ = [
    "FLOOR",
    "KINKS",
    "agree",
    "are_small",
    "distances",
    "floors_of",
    "lengths_of",
    "seen_of",
    "tolerance_of",
    "ways_agree",
]

# Relative to a gradient, by what the model computes in.
_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
FLOOR = 0.1
"""Share of the lengths of activations and backprops whose products a gradient sums up. Where these
cancel, rounding is large beside the gradient, and small beside this."""
KINKS = 0.1
"""How far units at their kinks may lead. They are a few among thousands."""
_CHUNK = 1 << 18  # elements that are subtracted and converted to float64 at a time


def tolerance_of(kinds: Sequence[torch.dtype]) -> float:
    """Give the rounding of the coarsest of the dtypes that layers compute in."""
    return max((_TOLERANCE.get(kind, 1e-2) for kind in kinds), default=1e-4)


def seen_of(
    found: Sequence[LayerGradient | None], parameters: Sequence[Tensor], compared: Collection[int]
) -> list[bool]:
    """For each call, whether gradients of its layer that are not zero have been compared.

    :param compared: identities of the parameters whose gradients are larger than rounding.
    """
    trained = {id(p) for p in parameters}
    seen = []
    for each in found:
        own = set() if each is None else {id(p) for p in each.layer._parameters.values()} & trained
        if each is None or not own:  # nothing that could be wrong
            seen.append(True)
        else:
            has_any = any(bool(backprops.any()) for _, backprops, _ in each.blocks)
            seen.append(has_any and not own.isdisjoint(compared))
    return seen


def floors_of(
    found: Sequence[LayerGradient | None], n: int, parameters: Sequence[Tensor]
) -> list[list[float]]:
    """For each parameter and objective, the length of the terms that its gradient sums up."""
    places = {id(p): place for place, p in enumerate(parameters)}
    floors = [[0.0] * n for _ in parameters]
    for each in found:
        if each is None:
            continue
        lengths = _lengths(each)
        for parameter in each.layer._parameters.values():
            place = places.get(id(parameter))
            if place is not None:
                floors[place] = [a + b for a, b in zip(floors[place], lengths, strict=True)]
    return floors


def _lengths(gradient: LayerGradient) -> list[float]:
    """Length of activations times that of backprops, for each objective."""
    found = []
    for activations, backprops in gradient.pieces():
        length = (
            float(activations.numel()) ** 0.5
        )  # as if normalised by the layer, or whole numbers
        if activations.is_floating_point():
            length = max(length, float(_vector_norm(activations)))
        found.append(length * float(_vector_norm(backprops)))
    return found


def lengths_of(gradients: Iterable[Tensor]) -> list[float]:
    """Euclidean length of each parameter's gradient."""
    return _on_host([_vector_norm(each) for each in gradients])


def distances(found: Iterable[Tensor], expected: Iterable[Tensor]) -> list[float]:
    """Euclidean length of the difference of each parameter's gradients."""
    return _on_host([_distance(a, b) for a, b in zip(found, expected, strict=True)])


def _on_host(numbers: Sequence[Tensor]) -> list[float]:
    values: list[float] = torch.stack(list(numbers)).tolist()
    return values


def _vector_norm(tensor: Tensor) -> Tensor:
    """Euclidean length, summed up in float64 on devices that have it."""
    if tensor.numel() <= _CHUNK:
        return _norm(tensor)
    return _norm(torch.stack([_norm(chunk) for chunk in tensor.reshape(-1).split(_CHUNK)]))


def _distance(found: Tensor, expected: Tensor) -> Tensor:
    chunks = [each.reshape(-1).split(_CHUNK) for each in (found, expected)]
    return _norm(torch.stack([_norm(a - b) for a, b in zip(*chunks, strict=True)]))


def _norm(tensor: Tensor) -> Tensor:
    kind = torch.float32 if tensor.device.type == "mps" else torch.float64
    return torch.linalg.vector_norm(tensor, dtype=kind)


def are_small(
    errors: Sequence[float], norms: Sequence[float], floors: Sequence[float], tolerance: float
) -> bool:
    """Whether gradients are equal but for rounding, parameter by parameter.

    :param errors: lengths of the differences.
    :param norms: lengths of the expected gradients.
    :param floors: lengths beside which rounding is small where terms cancel.
    """
    return all(
        error <= tolerance * max(norm, floor)
        for error, norm, floor in zip(errors, norms, floors, strict=True)
    )


@torch.no_grad()
def ways_agree(gradient: LayerGradient, tolerance: float) -> bool:
    """Whether gradients of all objectives at once, where ticks compute these, are those of rules.

    :param gradient: finite gradient of a layer.
    """
    layer = gradient.layer
    rows = gradients_at_once(layer, gradient) if isinstance(layer, CONVOLUTIONS) else None
    if rows is None:
        return True
    for k, (piece, length) in enumerate(zip(gradient.pieces(), _lengths(gradient), strict=True)):
        found = rule_of(layer)(layer, *piece)
        errors = distances([rows[name][k] for name in found], found.values())
        norms = lengths_of(found.values())
        if not are_small(errors, norms, [FLOOR * length] * len(found), tolerance):
            return False
    return True


def agree(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Whether tensors are equal but for ``tolerance``, relative to the second."""
    found, expected = exact(found.detach()), exact(expected.detach())
    return float((found - expected).norm()) <= tolerance * float(expected.norm())
