"""Batch norm that normalises the samples of each objective by themselves, written by hand."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["normalised_by_objective"]


def normalised_by_objective(model: nn.Module, n: int) -> nn.Module:
    """Copy a model, for minibatches of n objectives of equal size, one after the other.

    :param model: model whose batch norms have running statistics with a momentum.
    """
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm):
                setattr(parent, name, _ByObjective(child, n))
    return model


class _ByObjective(nn.Module):
    """One native call over n · C channels.

    Running statistics end as after n passes one after the other: with momentum m and the statistics
    s_1 ... s_n of the objectives, (1 − m)^n · running + Σ_i (1 − m)^(n − i) · m · s_i.
    """

    def __init__(self, norm: _BatchNorm, n: int) -> None:
        super().__init__()
        assert norm.momentum is not None
        assert norm.running_mean is not None
        self.norm, self.n, self.momentum = norm, n, norm.momentum
        powers = (1.0 - self.momentum) ** torch.arange(n - 1, -1, -1, dtype=torch.float64)
        dtype = norm.running_mean.dtype
        self.register_buffer("powers", powers[:, None].to(dtype))
        self.register_buffer("fresh", torch.zeros(2, n * norm.num_features, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        n, channels = self.n, x.shape[1]
        weight, bias = self.norm.weight.repeat(n), self.norm.bias.repeat(n)
        folded = x.unflatten(0, (n, -1)).transpose(0, 1).flatten(1, 2)
        if self.training:
            mean, var = self.fresh.zero_()
            out = batch_norm(folded, mean, var, weight, bias, True, self.momentum, self.norm.eps)
            for running, found in ((self.norm.running_mean, mean), (self.norm.running_var, var)):
                share = (self.powers * found.view(n, channels)).sum(0)
                running.mul_((1.0 - self.momentum) ** n).add_(share)
            self.norm.num_batches_tracked += n
        else:
            statistics = (s.repeat(n) for s in (self.norm.running_mean, self.norm.running_var))
            out = batch_norm(folded, *statistics, weight, bias, False, 0.0, self.norm.eps)
        return out.unflatten(1, (n, channels)).transpose(0, 1).flatten(0, 1)
