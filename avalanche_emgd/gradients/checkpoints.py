"""Refusal of reentrant activation checkpoints, which lose gradients."""

from __future__ import annotations

from typing import Any

from torch.utils import checkpoint as torch_checkpoint

__all__ = ["reentrant_checkpoints_refused"]

_MESSAGE = (
    "`model` uses `torch.utils.checkpoint.checkpoint(..., use_reentrant=True)`, through which "
    "gradients of single objectives cannot be taken: use `use_reentrant=False`."
)


def _refuse(*args: Any) -> Any:
    raise ValueError(_MESSAGE)


class reentrant_checkpoints_refused:  # noqa: N801  # a context manager, used like a function
    """Context in which a reentrant checkpoint is an error that says what to use instead.

    Inside such a checkpoint the graph of a pass ends. PyTorch then either refuses to differentiate
    in words that do not name the cause, or leaves the parameters inside without gradients.

    :raises ValueError: from the model's forward pass, if it uses one.
    """

    depth = 0

    def __enter__(self) -> None:
        kind = reentrant_checkpoints_refused
        if kind.depth == 0:
            torch_checkpoint.CheckpointFunction.apply = _refuse
        kind.depth += 1

    def __exit__(self, *error: Any) -> None:
        kind = reentrant_checkpoints_refused
        kind.depth -= 1
        if kind.depth == 0:
            del torch_checkpoint.CheckpointFunction.apply
