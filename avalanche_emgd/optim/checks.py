"""What goes into a weighting and what it gives, checked at each tick in a few microseconds."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .arrays import Array

__all__ = [
    "ROUNDING",
    "check_finite",
    "check_identities",
    "check_symmetric",
    "checked_gramian",
    "checked_weights",
    "negative_square",
    "rounding_of",
    "without_negligible",
]

ROUNDING = 1e-3
"""How far from positive semi-definite a normalised Gramian may be: float16's rounding."""


# Of the longest gradient; anything shorter counts as zero.
_NEGLIGIBLE = 1e-12
_FEW = 8  # objectives, up to which plain numbers are quicker than arrays


def check_finite(gramian: Tensor, objectives: Sequence[Hashable]) -> None:
    """Raise an error that names the objective whose gradient is not finite.

    :param gramian: Gramian ``[n, n]``.
    :param objectives: n names.
    :raises ValueError: if an entry is NaN or infinite.
    """
    if isfinite(float(gramian.sum())):  # the usual case, in one operation
        return
    finite = torch.isfinite(gramian)
    if bool(finite.all()):
        return
    # Only the objective itself has a non-finite diagonal entry; its row and column follow.
    bad = (~finite.diagonal()).nonzero().flatten().tolist()
    if not bad:
        bad = (~finite.all(dim=1)).nonzero().flatten().tolist()
    names = ", ".join(repr(objectives[i]) for i in bad)
    raise ValueError(
        f"`gramian` is not finite: the gradient of objective {names} is NaN or infinite, "
        "or its square overflows. Lower the learning rate or look at its inputs."
    )


def negative_square(squares: Sequence[float], objectives: Sequence[Hashable]) -> ValueError:
    """Make the error of a Gramian whose diagonal has a negative entry.

    :param squares: n diagonal entries.
    :param objectives: n names.
    """
    i = squares.index(min(squares))
    return ValueError(
        f"`gramian` has the negative diagonal entry {squares[i]!r} at objective "
        f"{objectives[i]!r}; a squared norm cannot be negative."
    )


def check_identities(objectives: Sequence[Hashable], n: int) -> None:
    """Check that n objectives have n distinct identities.

    :raises ValueError: if identities are missing or repeated.
    """
    if len(objectives) != n or len(set(objectives)) != n:
        raise ValueError(
            f"`objectives` must be {n} distinct identities, found {list(objectives)!r}."
        )


def checked_gramian(gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
    """Convert a Gramian to float64 on the CPU, and check that it can be one.

    :param gramian: Gramian ``[n, n]``.
    :param objectives: n names.
    :return: ``[n, n]``, the same object where it is float64 on the CPU already.
    :raises ValueError: if it is not finite, or has a negative squared norm; names the objective.
    """
    found = gramian
    if found.dtype != torch.float64 or not found.is_cpu or found.requires_grad:
        found = gramian.detach().cpu().double()
    if len(found) <= _FEW:
        rows = found.tolist()
        total, least = sum(map(sum, rows)), min(row[i] for i, row in enumerate(rows))
        if isfinite(total) and least >= 0.0 and rows == list(map(list, zip(*rows, strict=True))):
            return found
    entries = found.numpy()
    if not isfinite(entries.sum()):
        check_finite(gramian, objectives)
    squares = entries.diagonal().tolist()
    if min(squares) < 0.0:
        raise negative_square(squares, objectives)
    if np.count_nonzero(entries != entries.T):
        check_symmetric(entries, rounding_of(gramian.dtype), objectives)
    return found


def check_symmetric(entries: Array, rounding: float, objectives: Sequence[Hashable]) -> None:
    """Check that the two triangles of a Gramian are the same up to rounding.

    :param entries: matrix ``[n, n]``, finite, with a diagonal ≥ 0.
    :param rounding: rounding of an entry, relative to the two lengths.
    :param objectives: n names.
    :raises ValueError: if they are not; names the objectives.
    """
    lengths = np.sqrt(entries.diagonal())
    with np.errstate(over="ignore"):
        differ = np.abs(entries - entries.T) > 2.0 * rounding * lengths * lengths[:, None]
    if differ.any():
        i, j = np.argwhere(differ)[0].tolist()
        raise ValueError(
            f"`gramian` must be symmetric, found {float(entries[i, j])!r} for objectives "
            f"{objectives[i]!r} and {objectives[j]!r} but {float(entries[j, i])!r} for the same "
            "two the other way round."
        )


def rounding_of(dtype: torch.dtype) -> float:
    """How far a normalised Gramian of this dtype may be from one, because of its rounding."""
    if dtype == torch.float64:
        return ROUNDING
    # An entry and the two squared norms by whose roots it is divided: eps / 2 · (1 + 1/2 + 1/2).
    return max(ROUNDING, 2.0 * torch.finfo(dtype).eps) if dtype.is_floating_point else ROUNDING


def checked_weights(weights: Any, objectives: Sequence[Hashable], weighting: object) -> Tensor:
    """Check the weights of a tick, and cut them from their graph.

    :param weights: weights from a weighting, ``[n]`` numbers of a floating dtype.
    :param objectives: n names.
    :param weighting: weighting of these weights: its name is in the message.
    :raises ValueError: if they are something else, or not finite; names weighting and objectives.
    """
    n = len(objectives)
    if not isinstance(weights, Tensor) or weights.shape != (n,) or not weights.is_floating_point():
        found = (
            f"{tuple(weights.shape)} of {weights.dtype}"
            if isinstance(weights, Tensor)
            else type(weights).__name__
        )
        raise ValueError(
            f"`weighting` {name_of(weighting)} must return a tensor of {n} weights of a floating "
            f"dtype, one for each of the objectives {list(objectives)!r}, found {found}."
        )
    values = weights.tolist()
    if not isfinite(sum(values)):
        bad = {o: v for o, v in zip(objectives, values, strict=True) if not isfinite(v)}
        if bad:
            raise ValueError(
                f"`weighting` {name_of(weighting)} gives weights that are not finite, though the "
                f"Gramian is: {bad!r}."
            )
    return weights.detach()


def name_of(weighting: object) -> str:
    """Name of a weighting in messages: that of its class, or of a function its own."""
    return str(getattr(weighting, "__qualname__", type(weighting).__name__))


def without_negligible(gramian: Tensor) -> Tensor:
    """Gramian in which gradients shorter than 1e-12 of the longest are exactly zero.

    :param gramian: Gramian ``[n, n]``.
    """
    squares = gramian.diagonal().tolist()
    least = _NEGLIGIBLE**2 * max(squares)
    if min(squares) > least:
        return gramian
    kept = (gramian.diagonal() > least).to(gramian.dtype)
    return gramian * kept[:, None] * kept[None, :]
