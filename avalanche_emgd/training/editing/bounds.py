"""Bounds on edits of images: a step, a ball around the original, and the valid pixel range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ..._numbers import check_positive
from ..._text_files import excerpt

__all__ = ["Norm", "PixelBounds"]

Norm = Literal["l2", "sign"]
"""Norm of an edit: ``"l2"``, or ``"sign"`` for the largest change of a pixel."""


@dataclass(frozen=True)
class PixelBounds:
    """Bounds on the editing of images, in the units of the model's inputs.

    :param step: length of one edit of one image, > 0: its L2 norm (``"l2"``), or the change of each
        pixel (``"sign"``).
    :param radius: radius of the ball around the original, > 0, in the L2 norm (``"l2"``) or in the
        largest change of a pixel (``"sign"``). An edited image never leaves the ball.
    :param norm: norm of an edit, ``"l2"`` for edits along the gradient, scaled to unit length, or
        ``"sign"`` for edits along the signs of the gradient.
    :param pixel_range: lowest and highest valid value after normalisation: two numbers, or two
        sequences with one value for each channel. If omitted, the range of each channel of each
        original.
    :raises ValueError: if a setting is out of range.
    """

    step: float
    radius: float
    norm: Norm = "l2"
    pixel_range: tuple[float | tuple[float, ...], float | tuple[float, ...]] | None = None

    def __post_init__(self) -> None:
        for name in ("step", "radius"):
            check_positive(name, getattr(self, name))
        if self.norm not in get_args(Norm):
            known = ", ".join(get_args(Norm))
            raise ValueError(f"`norm` must be one of {known}, found {excerpt(self.norm)}.")
        if self.pixel_range is not None:
            low, high = (torch.as_tensor(end) for end in self.pixel_range)
            if low.shape != high.shape or not bool((low < high).all()):
                raise ValueError(
                    "`pixel_range` must be two numbers, lowest and highest, or two sequences with "
                    f"one number for each channel, found {self.pixel_range!r}."
                )

    def move(self, x: Tensor, original: Tensor, gradient: Tensor) -> Tensor:
        """Move images one step against a gradient, within the bounds.

        :param x: images ``[b, C, ...]``, or inputs ``[b, F]``.
        :param original: original images, of the same shape.
        :param gradient: gradient by the pixels, of the same shape. An image does not move if its
            gradient is zero or not finite.
        :return: moved images, of the same shape.
        :raises ValueError: if ``pixel_range`` has another number of channels than the images.
        """
        flat = gradient.flatten(1)
        moves = _broadcast(flat.isfinite().all(dim=1) & (flat != 0.0).any(dim=1), x)
        gradient = torch.where(moves, gradient, torch.zeros_like(gradient))
        if self.norm == "sign":
            moved = x - self.step * gradient.sign()
            moved = original + (moved - original).clamp(-self.radius, self.radius)
        else:
            moved = x - self.step * gradient * _broadcast(_inverse(_lengths(gradient)), x)
            away = moved - original
            shrink = (self.radius * _inverse(_lengths(away))).clamp(max=1.0)
            outside = _lengths(away) > self.radius
            shrink = torch.where(outside, shrink, torch.ones_like(shrink))
            moved = original + away * _broadcast(shrink, x)
        # The original lies in the range, so clamping moves pixels towards it and stays in the ball.
        low, high = self._range(original)
        return torch.where(moves, moved.clamp(low, high), x)

    def _range(self, original: Tensor) -> tuple[Tensor, Tensor]:
        if self.pixel_range is None:
            if original.ndim == 2:
                return original.amin(1, keepdim=True), original.amax(1, keepdim=True)
            rest = tuple(range(2, original.ndim))
            return original.amin(rest, keepdim=True), original.amax(rest, keepdim=True)
        low, high = (torch.as_tensor(end).to(original) for end in self.pixel_range)
        if low.ndim:
            if original.ndim < 2 or len(low) not in (1, original.shape[1]):
                raise ValueError(
                    f"`pixel_range` has {len(low)} channels, but the images have shape "
                    f"{tuple(original.shape[1:])}."
                )
            shape = (1, -1, *[1] * (original.ndim - 2))
            low, high = low.view(shape), high.view(shape)
        # An original outside of the range extends the range, so that it is not clamped.
        return torch.minimum(low, original), torch.maximum(high, original)


def _lengths(images: Tensor) -> Tensor:
    """Compute L2 norms ``[b]`` without overflow or underflow."""
    largest = images.flatten(1).abs().amax(dim=1)
    scale = torch.where(largest > 0.0, largest, torch.ones_like(largest))
    return (images.flatten(1) / scale[:, None]).norm(dim=1) * scale


def _inverse(lengths: Tensor) -> Tensor:
    """Invert lengths; zero stays zero."""
    return torch.where(lengths > 0.0, 1.0 / lengths, torch.zeros_like(lengths))


def _broadcast(values: Tensor, images: Tensor) -> Tensor:
    return values.view(-1, *[1] * (images.ndim - 1))
