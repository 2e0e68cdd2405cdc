"""The Gramian of a stack of gradients."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

__all__ = ["check_finite", "gramian_of", "without_negligible"]

# Of the longest gradient; anything shorter counts as zero.
_NEGLIGIBLE = 1e-12


def gramian_of(gradients: Tensor) -> Tensor:
    """Inner products of all pairs of rows, accumulated in float64.

    float64 is not a luxury: squares of float32 gradients below 1e-19 vanish, and a Gramian rounded
    to float32 need not be positive semi-definite.

    :param gradients: ``[n, P]``, one gradient per row.
    :return: ``[n, n]`` float64, on the device of the gradients where it knows float64.
    """
    rows = gradients.detach()
    if rows.device.type == "mps":  # has no float64
        rows = rows.float()
        return rows @ rows.T
    rows = rows.to(torch.float64)
    return rows @ rows.T


def check_finite(gramian: Tensor, objectives: Sequence[Hashable]) -> None:
    """Raise an error that names the objective whose gradient is not finite.

    :param gramian: ``[n, n]``.
    :param objectives: n names.
    :raises ValueError: if an entry is NaN or infinite.
    """
    finite = torch.isfinite(gramian)
    if bool(finite.all()):
        return
    # Only the objective itself has a non-finite diagonal entry; its row and column follow.
    bad = (~finite.diagonal()).nonzero().flatten().tolist()
    if not bad:
        bad = (~finite.all(dim=1)).nonzero().flatten().tolist()
    names = ", ".join(repr(objectives[i]) for i in bad)
    raise ValueError(
        f"`gramian` is not finite: the gradient of objective {names} is NaN or infinite. "
        "Lower the learning rate or look at its inputs."
    )


def without_negligible(gramian: Tensor) -> Tensor:
    """Gramian in which gradients shorter than 1e-12 of the longest are exactly zero.

    :param gramian: ``[n, n]``.
    """
    squares = gramian.diagonal()
    kept = (squares > _NEGLIGIBLE**2 * squares.max()).to(gramian.dtype)
    return gramian * kept[:, None] * kept[None, :]
