"""Memory that the gradients of one tick after the other are written to."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["Workspace"]


class Workspace:
    """Gives memory, and gives the same again for as long as it suffices.

    :param shared: workspace whose memory to give first; memory of one's own if omitted.
    """

    def __init__(self, shared: Workspace | None = None) -> None:
        self._memory: Tensor | None = None if shared is None else shared._memory

    def __getstate__(self) -> dict[str, Any]:
        """State without the memory: a copy has its own."""
        return {"_memory": None}

    def take(self, size: int, like: Tensor) -> Tensor:
        """Give at least ``size`` elements, of any values.

        :param like: a tensor of their dtype and device.
        """
        found, kind = self._memory, (like.dtype, like.device)
        if found is None or len(found) < size or (found.dtype, found.device) != kind:
            found = self._memory = torch.empty(size, dtype=like.dtype, device=like.device)
        return found
