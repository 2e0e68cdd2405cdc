"""Mixed precision: forward passes in fewer bits, gradients and what follows in full."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import get_args

import torch
from torch import Tensor

from ..gradients import ObjectiveGradients
from ..gradients.engine import Losses
from .precision_name import Precision

__all__ = ["MixedPrecision", "Precision"]

# As torch's GradScaler: the first scale, and clean ticks after which it is doubled.
_FIRST_SCALE = 2.0**16
_PATIENCE = 2000


class MixedPrecision:
    """Runs a model under autocast and keeps small float16 gradients from vanishing.

    Parameters, losses, gradients of objectives and their Gramian stay in the precision of the
    parameters; only what is inside the model is computed in fewer bits. float16 has few exponents:
    losses are multiplied by a scale before going backward, and the gradients divided by it before
    anything looks at them. If a gradient overflows, the tick is differentiated anew with half the
    scale, so that no tick is lost; after 2000 ticks without overflow the scale is doubled
    (Micikevicius et al., ICLR 2018).

    :param precision: ``"bfloat16"``, ``"float16"``, or ``None`` for that of the parameters.
    :raises ValueError: if it is none of these.
    """

    def __init__(self, precision: Precision | None = None) -> None:
        if precision is not None and precision not in get_args(Precision):
            raise ValueError(
                f"`precision` must be {' or '.join(get_args(Precision))}, found {precision!r}."
            )
        self.precision: Precision | None = precision
        """What was asked for."""
        self.scale: float = _FIRST_SCALE if precision == "float16" else 1.0
        """By which losses are multiplied; 1 except for float16."""
        self._dtype = None if precision is None else getattr(torch, precision)
        self._clean = 0

    @property
    def scales(self) -> bool:
        """Whether losses are scaled, and a tick may be differentiated more than once."""
        return self.precision == "float16"

    def autocast(self, device: torch.device | str) -> AbstractContextManager[object]:
        """Context in which a model is forwarded."""
        if self._dtype is None:
            return nullcontext()
        return torch.autocast(torch.device(device).type, dtype=self._dtype)

    def scaled(self, losses: Losses) -> Losses:
        """Losses as they are to be differentiated."""
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
        """Say whether gradients can be used; if not, halve the scale for another try.

        With the scale at 1 there is nothing left to try: what is not finite then is so by itself.

        :param gramian: of the unscaled gradients, ``[n, n]``.
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
