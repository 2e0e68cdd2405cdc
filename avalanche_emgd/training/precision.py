"""Mixed precision: forward passes in fewer bits, gradients and weights in full precision."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, get_args

import torch
from torch import Tensor

from ..gradients import ObjectiveGradients
from ..gradients.engine import Losses
from .precision_name import Precision

__all__ = ["MixedPrecision", "Precision", "make_precision"]

# Defaults of torch's GradScaler: the first scale, and the number of clean ticks before doubling.
_FIRST_SCALE = 2.0**16
_PATIENCE = 2000


def make_precision(precision: Precision | None, *, edits: bool) -> MixedPrecision:
    """Make the precision of a strategy's forward passes.

    :param precision: precision, see :class:`MixedPrecision`.
    :param edits: whether the strategy edits its memory.
    :raises ValueError: if ``precision`` is unknown, or float16 while the memory is edited:
        gradients by pixels are not scaled.
    """
    if precision == "float16" and edits:
        raise ValueError(
            "`precision` 'float16' is not for `memory_editing`, whose gradients would vanish: "
            "use 'bfloat16'."
        )
    return MixedPrecision(precision)


class MixedPrecision:
    """Autocast for forward passes, and loss scaling for float16.

    Parameters, losses, gradients of objectives and their Gramian have the precision of the
    parameters; only the operations inside the model have fewer bits. Small gradients underflow in
    float16. A scale therefore multiplies the losses before the backward pass, and divides the
    gradients before their use. If a gradient overflows, the backward pass is repeated with half the
    scale, so that no tick is lost. After 2000 ticks without overflow the scale is doubled
    (Micikevicius et al., ICLR 2018).

    :param precision: precision, ``"bfloat16"``, ``"float16"``, or ``None`` for the type of the
        parameters.
    :raises ValueError: if ``precision`` has another value.
    """

    def __init__(self, precision: Precision | None = None) -> None:
        if precision is not None and precision not in get_args(Precision):
            raise ValueError(
                f"`precision` must be {' or '.join(get_args(Precision))}, found {precision!r}."
            )
        self.precision: Precision | None = precision
        """The argument ``precision``."""
        self.scale: float = _FIRST_SCALE if precision == "float16" else 1.0
        """Factor of the losses; 1 except for float16."""
        self._dtype = None if precision is None else getattr(torch, precision)
        self._clean = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the scale, and the number of ticks since its last change."""
        return {"scale": self.scale, "clean": self._clean}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`."""
        self.scale, self._clean = float(state["scale"]), int(state["clean"])

    @property
    def scales(self) -> bool:
        """Whether losses are scaled, so that a tick may need more than one backward pass."""
        return self.precision == "float16"

    def autocast(self, device: torch.device | str) -> AbstractContextManager[object]:
        """Return the context for forward passes.

        :param device: device of the model.
        """
        if self._dtype is None:
            return nullcontext()
        return torch.autocast(torch.device(device).type, dtype=self._dtype)

    def scaled(self, losses: Losses) -> Losses:
        """Multiply the losses by the scale, for the backward pass."""
        if not self.scales:
            return losses
        if isinstance(losses, Tensor):
            return losses * self.scale
        return [loss * self.scale for loss in losses]

    def unscale(self, gradients: ObjectiveGradients) -> None:
        """Divide gradients of scaled losses by the scale, in place."""
        if self.scales:
            gradients.divide(self.scale)

    def accept(self, gramian: Tensor) -> bool:
        """Check that the gradients are finite; otherwise halve the scale.

        At scale 1 the gradients are accepted, because the scale is not the cause of an overflow.

        :param gramian: Gramian of the unscaled gradients, ``[n, n]``.
        :return: whether the gradients can be used; if false, the backward pass is repeated.
        """
        if not self.scales:
            return True
        if bool(torch.isfinite(gramian).all()):
            self._clean += 1
            if self._clean == _PATIENCE:
                self.scale, self._clean = 2.0 * self.scale, 0
            return True
        self._clean = 0
        if self.scale <= 1.0:
            return True
        self.scale /= 2.0
        return False
