"""NumPy arrays of float64 numbers, in which matrices of n × n numbers are computed with."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Array", "as_array"]

Array = NDArray[np.float64]

_KNOWN_TO_NUMPY = (torch.float64, torch.float32)


def as_array(tensor: Tensor) -> Array:
    """Convert a tensor of a real dtype, on any device, to float64 on the CPU."""
    if not tensor.is_cpu or tensor.requires_grad or tensor.dtype not in _KNOWN_TO_NUMPY:
        tensor = tensor.detach().cpu().double()
    return np.asarray(tensor.numpy(), dtype=np.float64)
