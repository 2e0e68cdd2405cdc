"""Exchange of tensors, numbers, text and containers between processes."""

from __future__ import annotations

import io
from typing import Any

import torch
from torch import Tensor

from .processes import Processes

__all__ = ["broadcast_value", "gather_values"]


def gather_values(processes: Processes, own: Any, kind: str) -> list[Any]:
    """Gather the values of all processes, in their order.

    :param processes: processes, all of which call this function.
    :param own: value of this process: tensors, numbers, text and containers.
    :param kind: kind of the exchange, for the count of bytes.
    """
    content = _written(own, processes)
    lengths = processes.gather(torch.tensor([len(content)], device=processes.device), kind)
    padded = content.new_zeros(int(lengths.max()))
    padded[: len(content)] = content
    found = processes.gather(padded, kind)
    pairs = zip(found, lengths.flatten().tolist(), strict=True)
    return [_read(each[:length]) for each, length in pairs]


def broadcast_value(processes: Processes, value: Any) -> Any:
    """Give a value of process 0 to all processes.

    :param processes: processes, all of which call this function.
    :param value: value of process 0: tensors, numbers, text and containers.
    """
    if processes.size == 1:
        return value
    content = _written(value if processes.is_first else None, processes)
    length = torch.tensor([len(content)], device=processes.device)
    processes.broadcast(length)
    if not processes.is_first:
        content = torch.empty(int(length), dtype=torch.uint8, device=processes.device)
    processes.broadcast(content)
    return value if processes.is_first else _read(content)


def _written(value: Any, processes: Processes) -> Tensor:
    file = io.BytesIO()
    torch.save(value, file)
    return torch.frombuffer(bytearray(file.getbuffer()), dtype=torch.uint8).to(processes.device)


def _read(content: Tensor) -> Any:
    file = io.BytesIO(content.cpu().numpy().tobytes())
    return torch.load(file, map_location="cpu", weights_only=True)
