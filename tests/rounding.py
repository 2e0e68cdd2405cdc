"""Simulation of the rounding of another processor.

Processors, numbers of threads and releases of PyTorch differ in the order of sums and in the last
digits of exp and tanh. :class:`AnotherProcessor` changes the results of such operations by up to
two units in the last place. The change depends only on the operation, the shapes of its arguments
and the place in the result. As on a real processor, the same operation on the same shapes gives the
same bits. A sample alone is rounded differently than in a batch. Whole numbers and numbers with few
digits do not change, because their sums are exact on every processor.
"""

import zlib

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# ATen operations that are not rounded correctly, or whose order of summation is not fixed.
INEXACT = {
    *("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot", "vdot", "addr"),
    *("sum", "mean", "var", "var_mean", "std", "cumsum", "logsumexp", "linalg_vector_norm", "norm"),
    *("_softmax", "_log_softmax", "_softmax_backward_data", "_log_softmax_backward_data"),
    *("exp", "log", "tanh", "tanh_backward", "sigmoid", "cos", "sin", "acos", "rsqrt"),
    *("convolution", "convolution_backward", "avg_pool2d", "_adaptive_avg_pool2d"),
    *("native_batch_norm", "_native_batch_norm_legit", "native_batch_norm_backward"),
    *("native_layer_norm", "native_layer_norm_backward"),
    *("native_group_norm", "native_group_norm_backward"),
    *("nll_loss_forward", "embedding_dense_backward"),
}
UNITS = 2.0  # in the last place
# For each dtype: the integer type of the same size, a mask of its last bits, and the limit up to
# which whole numbers are exact. The last bits of a number with few digits are 0.
BITS = {
    torch.float32: (torch.int32, 2**12 - 1, 2.0**24),
    torch.float64: (torch.int64, 2**40 - 1, 2.0**53),
}


class AnotherProcessor(TorchDispatchMode):
    """Context with the rounding of a simulated processor, which a name identifies."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._errors: dict[str, torch.Tensor] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        operation = func._schema.name.removeprefix("aten::").rstrip("_")
        if operation in INEXACT:
            taken = [tuple(a.shape) for a in tree_leaves(args) if isinstance(a, torch.Tensor)]
            for place, result in enumerate(tree_leaves(found)):
                if isinstance(result, torch.Tensor) and result.dtype in BITS:
                    self._disturb(result, f"{self.name} {operation} {place} {taken}")
        return found

    def _disturb(self, result: torch.Tensor, key: str) -> None:
        if result.device.type != "cpu" or not result.numel():
            return
        key = f"{key} {tuple(result.shape)} {result.dtype}"
        if key not in self._errors:
            generator = torch.Generator().manual_seed(zlib.crc32(key.encode()))
            share = 2.0 * torch.rand(result.shape, generator=generator, dtype=result.dtype) - 1.0
            self._errors[key] = UNITS * torch.finfo(result.dtype).eps * share
        kind, last, largest = BITS[result.dtype]
        is_exact = result.contiguous().view(kind) & last == 0
        is_exact |= (result == result.round()) & (result.abs() <= largest)
        disturbed = result * (1.0 + self._errors[key])
        result.copy_(torch.where(is_exact | ~result.isfinite(), result, disturbed))
