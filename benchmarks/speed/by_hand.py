"""Loops written by hand: the plain average, and EMGD's arithmetic and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from avalanche_emgd import MLP
from avalanche_emgd.gradients.gramian import GramianOf
from avalanche_emgd.gradients.writers import MANY
from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.training.gradient_space import GradientSpace

from .streams import Batches

__all__ = ["BY_HAND", "emgd_by_hand", "emgd_passes_by_hand", "one_pass", "separate_passes"]

BY_HAND = "EMGD's arithmetic by hand"
"""What :func:`emgd_by_hand` does, in the words of the table."""


def separate_passes(ticks: Sequence[Batches], model: nn.Module) -> Callable[[], Any]:
    """Train the plain average by hand, with one forward and one backward pass per objective."""
    return _by_hand(ticks, model, lambda batches: batches)


def one_pass(ticks: Sequence[Batches], model: nn.Module) -> Callable[[], Any]:
    """Train the plain average by hand, with one forward and one backward pass over everything."""

    def joined(batches: Batches) -> Batches:
        x, y = (torch.cat(column) for column in zip(*batches, strict=True))
        return [(x, y)]

    return _by_hand(ticks, model, joined)


def emgd_by_hand(ticks: Sequence[Batches], model: MLP) -> Callable[[], Any]:
    """Do EMGD's arithmetic and nothing else: the least cost of a loop.

    One pass over prepared minibatches, a product for each layer and objective, Gramian, factors and
    dual, weighted sum, optimizer; no stream, memory, mask, engine or strategy. As in the engine,
    many gradients by the first layer's weight are in a piece of memory of their own.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    lengths = [p.numel() for p in model.parameters()]

    def pieces_of(n: int) -> list[Tensor]:
        apart = 0 if n < MANY else lengths[0]
        return [torch.empty(n, size) for size in (apart, sum(lengths) - apart) if size]

    def write(batches: Batches, pieces: Sequence[Tensor]) -> None:
        x, y = (torch.cat(column) for column in zip(*batches, strict=True))
        sizes = [len(y) for _, y in batches]
        inputs, outputs = [x.flatten(1)], []
        for layer in layers[:-1]:
            outputs.append(layer(inputs[-1]))
            inputs.append(torch.relu(outputs[-1]))
        outputs.append(layers[-1](inputs[-1]))
        losses = cross_entropy(outputs[-1], y, reduction="none").split(sizes)
        slopes = torch.autograd.grad(sum(loss.mean() for loss in losses), outputs)
        n, (*apart, rest) = len(batches), pieces
        places = iter([*apart, *rest.split(lengths[len(apart) :], dim=1)])
        for into, back in zip(inputs, slopes, strict=True):
            weights = next(places).view(n, back.shape[1], into.shape[1])
            pairs = list(zip(into.detach().split(sizes), back.split(sizes), strict=True))
            if len(set(sizes)) == 1:
                one, other = (t.detach().view(n, sizes[0], -1) for t in (into, back))
                if n < MANY or weights.is_contiguous():
                    torch.bmm(other.transpose(1, 2), one, out=weights)
                else:
                    weights.copy_(torch.bmm(other.transpose(1, 2), one))
                torch.sum(other, dim=1, out=next(places))
            else:
                for weight, (one, other) in zip(weights, pairs, strict=True):
                    torch.mm(other.T, one, out=weight)
                torch.stack([other.sum(0) for _, other in pairs], out=next(places))

    return _emgd_with(ticks, model, pieces_of, write)


def emgd_passes_by_hand(ticks: Sequence[Batches], model: nn.Module) -> Callable[[], Any]:
    """Do EMGD's arithmetic with one pass for each objective, and nothing else."""
    parameters = list(model.parameters())
    size = sum(p.numel() for p in parameters)

    def pieces_of(n: int) -> list[Tensor]:
        return [torch.empty(n, size)]

    def write(batches: Batches, pieces: Sequence[Tensor]) -> None:
        for row, (x, y) in zip(pieces[0], batches, strict=True):
            found = torch.autograd.grad(cross_entropy(model(x), y), parameters)
            torch.cat([each.reshape(-1) for each in found], out=row)

    return _emgd_with(ticks, model, pieces_of, write)


def _emgd_with(
    ticks: Sequence[Batches],
    model: nn.Module,
    pieces_of: Callable[[int], list[Tensor]],
    write: Callable[[Batches, Sequence[Tensor]], None],
) -> Callable[[], Any]:
    """Do EMGD with gradients that ``write(batches, pieces)`` writes.

    :param pieces_of: function from n to the memory of the gradients of n objectives, ``[n, size]``
        each, P in all.
    """
    space, weighting = GradientSpace(model), EMGDWeighting()
    pieces = {n: pieces_of(n) for n in {len(batches) for batches in ticks}}
    gramians = {n: GramianOf(those) for n, those in pieces.items()}
    used = [True] * len(space.parameters)

    def differentiate(batches: Batches) -> None:
        those, update = pieces[len(batches)], space.update
        write(batches, those)
        weights = weighting(gramians[len(batches)]()).float()
        lengths = [piece.shape[1] for piece in those]
        for piece, into in zip(those, update.split(lengths), strict=True):
            torch.mv(piece.T, weights, out=into)
        space.assign(update, used, accumulate=False)

    return _training(ticks, model, differentiate)


def _by_hand(
    ticks: Sequence[Batches], model: nn.Module, passes_of: Callable[[Batches], Batches]
) -> Callable[[], Any]:
    def differentiate(batches: Batches) -> None:
        passes = passes_of(batches)
        for x, y in passes:
            (cross_entropy(model(x), y) / len(passes)).backward()

    return _training(ticks, model, differentiate)


def _training(
    ticks: Sequence[Batches], model: nn.Module, differentiate: Callable[[Batches], None]
) -> Callable[[], Any]:
    """Train by gradients that ``differentiate`` leaves with the parameters."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

    def train() -> None:
        model.train()
        for batches in ticks:
            optimizer.zero_grad()
            differentiate(batches)
            optimizer.step()

    return train
