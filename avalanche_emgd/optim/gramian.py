"""The Gramian of a stack of gradients."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import isfinite

import torch
from torch import Tensor

__all__ = [
    "BLOCK",
    "check_finite",
    "exact",
    "gramian_of",
    "gramian_of_pieces",
    "without_negligible",
]

# Of the longest gradient; anything shorter counts as zero.
_NEGLIGIBLE = 1e-12
# Elements whose products are summed in float32, and from how many elements or rows on that pays.
BLOCK, _LONG, _MANY = 1024, 8 * 1024, 32
# Rows multiplied at a time with themselves and those below, and up to how many rows in all. From 17
# to 31 rows that takes two thirds of the time of one product, whose kernels are for 16 rows or 32.
_STRIP, _FEW_ROWS = 12, 100
# Squared norms between which no product of float32 gradients that matters is lost or too large.
_SMALL, _LARGE = 1e-16, 1e30


def gramian_of(gradients: Tensor) -> Tensor:
    """Inner products of all pairs of rows, accumulated in float64.

    float64 is not a luxury: squares of float32 gradients below 1e-19 vanish, and a Gramian rounded
    to float32 need not be positive semi-definite. Of float32 gradients on the CPU, if they are long
    or many, products of 1024 elements are summed in float32 and the sums in float64, which takes a
    third of the time and errs by about 2e-8 of ‖g_i‖ ‖g_j‖, less than the rounding of the gradients
    themselves (of a few thousand elements 7e-8, and 2e-7 of more than a hundred rows); where that
    could lose small ones, everything is float64.

    :param gradients: ``[n, P]``, one gradient per row.
    :return: ``[n, n]`` float64, on the device of the gradients where it knows float64.
    """
    return gramian_of_pieces([gradients.detach()])


def gramian_of_pieces(pieces: Sequence[Tensor]) -> Tensor:
    """Inner products of all pairs of rows that are in pieces; see :func:`gramian_of`.

    :param pieces: ``[n, size]`` each, one beside the other, without graphs.
    """
    first = pieces[0]
    large = sum(piece.shape[1] for piece in pieces) >= _LONG or len(first) >= _MANY
    if large and first.device.type == "cpu" and first.dtype == torch.float32:
        found = _by_blocks(pieces)
        squares = found.diagonal().tolist()
        if all(_SMALL < square < _LARGE for square in squares):
            return found
    products = [piece @ piece.T for piece in map(exact, pieces)]
    return sum(products[1:], products[0])


def exact(tensor: Tensor) -> Tensor:
    """Convert to float64, or to float32 on devices that have no float64."""
    return tensor.to(torch.float32 if tensor.device.type == "mps" else torch.float64)


def _by_blocks(pieces: Sequence[Tensor]) -> Tensor:
    n = len(pieces[0])
    if len(pieces) == 1 and pieces[0].shape[1] <= BLOCK:
        return (pieces[0] @ pieces[0].T).double()
    stacks = [stack for piece in pieces for stack in _stacks(piece)]
    if n <= _STRIP or n > _FEW_ROWS:
        return _summed(stacks, stacks)
    found = pieces[0].new_empty(n, n, dtype=torch.float64)
    for start in range(0, n, _STRIP):
        stop = min(start + _STRIP, n)
        ours = [stack[:, start:stop] for stack in stacks]
        found[start:stop, start:] = strip = _summed(ours, [stack[:, start:] for stack in stacks])
        found[stop:, start:stop] = strip[:, stop - start :].T
    return found


def _stacks(rows: Tensor) -> list[Tensor]:
    """Blocks of rows ``[n, size]``, as ``[number, n, elements]``: the whole ones and the rest."""
    n, size = rows.shape
    blocks, rest = divmod(size, BLOCK)
    whole = rows[:, : size - rest] if rest else rows
    stacks = [whole.view(n, blocks, BLOCK).transpose(0, 1)] if blocks else []
    return [*stacks, rows[None, :, size - rest :]] if rest else stacks


def _summed(stacks: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    """Sum of the products of all blocks, each in float32, ``[n, m]`` float64."""
    first, other = stacks[0], others[0]
    products = first.new_empty(sum(map(len, stacks)), first.shape[1], other.shape[1])
    start = 0
    for stack, other in zip(stacks, others, strict=True):
        torch.bmm(stack, other.transpose(1, 2), out=products[start : start + len(stack)])
        start += len(stack)
    return products.sum(dim=0, dtype=torch.float64)


def check_finite(gramian: Tensor, objectives: Sequence[Hashable]) -> None:
    """Raise an error that names the objective whose gradient is not finite.

    :param gramian: ``[n, n]``.
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
        f"`gramian` is not finite: the gradient of objective {names} is NaN or infinite. "
        "Lower the learning rate or look at its inputs."
    )


def without_negligible(gramian: Tensor) -> Tensor:
    """Gramian in which gradients shorter than 1e-12 of the longest are exactly zero.

    :param gramian: ``[n, n]``.
    """
    squares = gramian.diagonal().tolist()
    least = _NEGLIGIBLE**2 * max(squares)
    if min(squares) > least:
        return gramian
    kept = (gramian.diagonal() > least).to(gramian.dtype)
    return gramian * kept[:, None] * kept[None, :]
