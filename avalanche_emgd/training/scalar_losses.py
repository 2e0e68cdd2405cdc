"""The check that a loss of a user's own is a scalar."""

from __future__ import annotations

from typing import Any

from torch import Tensor

__all__ = ["checked_scalar"]


def checked_scalar(loss: Any, name: str, hint: str = "") -> Tensor:
    """Return a loss that is a scalar tensor.

    :param loss: loss of one objective.
    :param name: name of the option or attribute that computes it.
    :param hint: words on how it becomes a scalar.
    :raises ValueError: if it is no tensor without dimensions; the message has ``name`` and the
        shape.
    """
    if isinstance(loss, Tensor) and loss.ndim == 0:
        return loss
    found = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
    raise ValueError(f"`{name}` must return a scalar tensor{hint}, found {found}.")
