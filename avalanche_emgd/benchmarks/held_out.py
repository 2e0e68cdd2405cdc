"""Check of the share of test samples, in a module that does not import NumPy."""

from __future__ import annotations

from numbers import Real
from typing import Any

__all__ = ["check_test_share"]


def check_test_share(share: Any) -> float:
    """Check the share of test samples.

    :raises ValueError: if ``share`` is not a number in (0, 1).
    """
    if not isinstance(share, Real) or isinstance(share, bool) or not 0.0 < float(share) < 1.0:
        raise ValueError(
            f"`test_share` must be a number between 0 and 1, such as 0.2, found {share!r}."
        )
    return float(share)
