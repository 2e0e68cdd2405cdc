"""Gradients that are equal but for rounding, and those too small to tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from .gramian import exact
from .layer_gradient import LayerGradient

__all__ = [
    "FLOOR",
    "KINKS",
    "agree",
    "floors_of",
    "norms_of",
    "rows_agree",
    "seen_of",
    "tolerance_of",
]

# Relative to a gradient, by what the model computes in.
_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
FLOOR = 0.1
"""Share of the lengths of activations and backprops whose products a gradient sums up. Where these
cancel, rounding is large beside the gradient, and small beside this."""
KINKS = 0.1
"""How far units at their kinks may lead. They are a few among thousands."""


def tolerance_of(kinds: Sequence[torch.dtype]) -> float:
    """Give the rounding of the coarsest of the dtypes that layers compute in."""
    return max((_TOLERANCE.get(kind, 1e-2) for kind in kinds), default=1e-4)


def seen_of(
    found: Sequence[LayerGradient | None], parameters: Sequence[Tensor], told: Collection[int]
) -> list[bool]:
    """For each call, whether gradients of its layer that are not zero have been compared.

    :param told: identities of the parameters whose gradients are larger than rounding.
    """
    trained = {id(p) for p in parameters}
    seen = []
    for each in found:
        own = set() if each is None else {id(p) for p in each.layer._parameters.values()} & trained
        if each is None or not own:  # nothing that could be wrong
            seen.append(True)
        else:
            has_any = any(bool(backprops.any()) for _, backprops, _ in each.blocks)
            seen.append(has_any and not own.isdisjoint(told))
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


def norms_of(row: Tensor, lengths: Sequence[int]) -> list[float]:
    """Euclidean length of each parameter's gradient in a flat one ``[P]``."""
    return torch.stack([_vector_norm(piece) for piece in row.split(list(lengths))]).tolist()


def _vector_norm(tensor: Tensor) -> Tensor:
    """Euclidean length, summed up in float64 on devices that know it."""
    kind = torch.float32 if tensor.device.type == "mps" else torch.float64
    return torch.linalg.vector_norm(tensor, dtype=kind)


def rows_agree(
    found: Tensor,
    expected: Tensor,
    norms: Sequence[float],
    lengths: Sequence[int],
    floors: Sequence[float],
    tolerance: float,
) -> bool:
    """Whether gradients are equal but for rounding, parameter by parameter.

    :param norms: lengths of the expected gradients.
    :param floors: lengths beside which rounding is small where terms cancel.
    """
    return all(
        error <= tolerance * max(norm, floor)
        for error, norm, floor in zip(
            norms_of(found - expected, lengths), norms, floors, strict=True
        )
    )


def agree(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Whether tensors are equal but for ``tolerance``, relative to the second."""
    found, expected = exact(found.detach()), exact(expected.detach())
    return float((found - expected).norm()) <= tolerance * float(expected.norm())
