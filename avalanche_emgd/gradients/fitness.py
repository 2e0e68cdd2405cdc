"""Models that cannot be fused because of types, hooks or modes of their layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_module
from torch.nn.modules.dropout import _DropoutNd

from .batches import Batches, has_rows
from .convolutions import CONVOLUTIONS
from .rules import is_known, why_rule_fails

__all__ = ["has_hooks", "slower_fused", "unfit_for_fusing"]

_FEW_SAMPLES = 16

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def has_hooks(module: nn.Module) -> bool:
    """Whether hooks of the user's change what a module computes, or its gradients."""
    return any(vars(module).get(hooks) for hooks in _HOOKS)


def _is_hooked(parameter: Any) -> bool:
    return bool(parameter._backward_hooks or parameter._post_accumulate_grad_hooks)


def unfit_for_fusing(module: nn.Module) -> str | None:
    """Say why a model cannot be fused; ``None`` if nothing is known that speaks against it.

    Every trained parameter must belong to a layer that has a rule
    (:func:`~avalanche_emgd.gradients.gradient_rule`), or to a batch norm, and that runs
    as its type says.
    Hooks of the user's, compiled or wrapped modules and random layers speak against it, too.

    :param module: the model, in the mode in which it is trained.
    """
    if torch_module._has_any_global_hook():
        return "there are global hooks on modules"
    for name, layer in module.named_modules():
        reason = _unfit(layer, f"{type(layer).__name__} ({name or 'the model'})")
        if reason is not None:
            return reason
    return None


def _unfit(layer: nn.Module, called: str) -> str | None:
    if isinstance(layer, torch.jit.ScriptModule | torch._dynamo.OptimizedModule) or (
        vars(layer).get("_compiled_call_impl") is not None
    ):
        return f"{called} is compiled"
    if isinstance(layer, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return f"{called} distributes samples"
    if has_hooks(layer):
        return f"{called} has hooks"
    own = [p for p in layer._parameters.values() if p is not None and p.requires_grad]
    if any(_is_hooked(parameter) for parameter in own):
        return f"a parameter of {called} has hooks"
    if own and not is_known(layer):
        return f"there is no gradient rule for {called}"
    if own:
        fault = why_rule_fails(layer)
        if fault is not None:
            return f"{called} {fault}"
    if isinstance(layer, _DropoutNd) and layer.training and layer.p > 0.0:
        return f"{called} is random"
    return None


def slower_fused(layers: Iterable[nn.Module], batches: Sequence[Any]) -> str | None:
    """Say why separate passes are quicker than a fused one; ``None`` if they are not.

    On a CPU the maps of a convolutional network outgrow the caches when the minibatches of all
    objectives are put together. From about 16 samples of an objective on, that costs more than the
    calls of n passes (``python -m benchmarks.speed --only ticks_of_the_resnet``).

    :param layers: layers of the model.
    :param batches: batches of the objectives, as an engine takes them.
    """
    if isinstance(batches, Batches) and max(batches.groups) > 1:
        return None  # whose separate passes go backward through a shared graph several times
    if not any(isinstance(layer, CONVOLUTIONS) for layer in layers):
        return None
    columns = [each[0] if isinstance(each, tuple | list) and each else each for each in batches]
    if not all(has_rows(each) and each.is_cpu for each in columns):
        return None
    if sum(map(len, columns)) <= _FEW_SAMPLES * len(columns):
        return None
    return f"convolutions of more than {_FEW_SAMPLES} samples each are quicker in separate passes"
