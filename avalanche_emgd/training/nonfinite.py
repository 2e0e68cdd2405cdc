"""Losses and gradients that are not finite: the run stops, or their objective is left out."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Literal, get_args

import torch
from torch import Tensor

__all__ = ["NonFinite", "OnNonFinite", "check_on_nonfinite", "find_nonfinite", "stop_at"]

OnNonFinite = Literal["stop", "skip"]
"""What a loss or gradient that is not finite does: it stops the run, or skips its objective."""

_LOG = logging.getLogger(__name__)
_MOST = 100  # successive ticks without any finite objective


def check_on_nonfinite(value: Any) -> OnNonFinite:
    """Check the option ``on_nonfinite``.

    :raises ValueError: if ``value`` is not one of its values.
    """
    if value not in get_args(OnNonFinite):
        raise ValueError(f"`on_nonfinite` must be 'stop' or 'skip', found {value!r}.")
    found: OnNonFinite = value
    return found


class NonFinite:
    """Counts of the ticks at which objectives are left out.

    :param action: reaction, ``"stop"`` or ``"skip"``.
    """

    def __init__(self, action: OnNonFinite) -> None:
        self.action = action
        self.counts: Counter[str] = Counter()
        """Number of ticks at which each objective was left out."""
        self._reported: Counter[str] = Counter()
        self._in_a_row = 0

    def note(self, objectives: Sequence[str], tick: int, losses: Sequence[float]) -> None:
        """Count the objectives that are left out at a tick, and warn of each the first time.

        :param objectives: their names.
        :param tick: number of the tick.
        :param losses: their losses.
        """
        for name, loss in zip(objectives, losses, strict=True):
            self.counts[name] += 1
            _LOG.info("tick %d: objective %r with loss %g is skipped", tick, name, loss)
            if self.counts[name] == 1:
                warnings.warn(
                    f"objective {name!r} is skipped at tick {tick}, because its loss ({loss:g}) or "
                    "gradient is not finite; further ticks are counted in "
                    "`strategy.nonfinite.counts`.",
                    stacklevel=2,
                )

    def settle(self, *, has_update: bool, tick: int) -> None:
        """Note whether a tick has any finite objective.

        :raises ValueError: after 100 successive ticks without one.
        """
        self._in_a_row = 0 if has_update else self._in_a_row + 1
        if self._in_a_row == _MOST:
            raise ValueError(
                f"No objective has had a finite loss and gradient for {_MOST} ticks, up to tick "
                f"{tick}: the parameters are probably not finite. Lower the learning rate."
            )

    def state_dict(self) -> dict[str, Any]:
        """Return the counts; another process may choose another action."""
        return {
            "counts": dict(self.counts),
            "reported": dict(self._reported),
            "in_a_row": self._in_a_row,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the counts of :meth:`state_dict`."""
        self.counts, self._reported = Counter(state["counts"]), Counter(state["reported"])
        self._in_a_row = int(state["in_a_row"])

    def report(self) -> None:
        """Warn of the objectives that were left out since the last report."""
        new, self._reported = self.counts - self._reported, Counter(self.counts)
        if new:
            counts = ", ".join(f"{name!r}: {number}" for name, number in new.items())
            warnings.warn(
                "objectives were skipped at ticks at which their loss or gradient was not finite: "
                f"{counts}.",
                stacklevel=2,
            )


def find_nonfinite(gramian: Tensor, losses: Sequence[float]) -> list[int]:
    """Find the objectives whose loss or gradient is not finite.

    :param gramian: Gramian ``[n, n]`` on the CPU.
    :param losses: n losses.
    """
    # A sum of finite numbers may overflow: entries decide then.
    if isfinite(sum(losses)) and isfinite(float(gramian.sum())):
        return []
    squares = gramian.diagonal().tolist()
    found = [i for i, loss in enumerate(losses) if not (isfinite(loss) and isfinite(squares[i]))]
    if not found and not bool(torch.isfinite(gramian).all()):
        found = (~torch.isfinite(gramian).all(dim=1)).nonzero().flatten().tolist()
    return found


def stop_at(names: Sequence[str], losses: Sequence[float], tick: int) -> ValueError:
    """Make the error that stops a run.

    :param names: objectives whose loss or gradient is not finite.
    :param losses: their losses.
    :param tick: number of the tick.
    """
    told = ", ".join(f"{name!r} ({loss:g})" for name, loss in zip(names, losses, strict=True))
    if all(map(isfinite, losses)):
        shown = ", ".join(map(repr, names))
        return ValueError(
            f"`gramian` is not finite at tick {tick}: the gradient of objective {shown} is NaN or "
            "infinite, or its square overflows. Lower the learning rate or look at its inputs, or "
            "leave such objectives out with on_nonfinite='skip'."
        )
    return ValueError(
        f"The loss of objective {told} is NaN or infinite at tick {tick}. Lower the learning rate "
        "or look at its inputs, or leave such objectives out with on_nonfinite='skip'."
    )
