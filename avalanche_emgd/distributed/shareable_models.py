"""Models whose samples can be shared between processes."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from ..gradients.batch_norm import is_batch_norm
from .placement import Automatic, BySample, Placement

__all__ = ["check_shareable"]


def check_shareable(module: nn.Module, placement: Placement) -> None:
    """Check that a model computes the same on several processes.

    :param module: the model.
    :param placement: placement of the samples.
    :raises ValueError: if a layer distributes samples itself, needs another placement, or has
        statistics that cannot be brought together; the message names the layer.
    """
    for name, each in module.named_modules():
        called = f"{type(each).__name__} ({name or 'the model'})"
        if isinstance(each, nn.parallel.DistributedDataParallel | nn.DataParallel):
            raise ValueError(
                f"`model` has {called}, which distributes samples itself: give the module in it."
            )
        is_sync = isinstance(each, nn.SyncBatchNorm)
        if is_sync and not isinstance(placement, Automatic | BySample):
            raise ValueError(
                f"`model` has {called}, for which each process needs a share of every "
                f"objective: use distributed='by-sample' in place of {placement!r}."
            )
        is_known = is_sync or is_batch_norm(each)
        if isinstance(each, _NormBase) and each.track_running_stats and not is_known:
            raise ValueError(
                f"`model` has {called} with running statistics, which cannot be brought "
                "together from several processes: use PyTorch's batch norm, or "
                "track_running_stats=False."
            )
