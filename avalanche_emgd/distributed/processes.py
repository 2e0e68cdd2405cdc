"""The processes that train together, and what they exchange."""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import _get_default_store

from .failure import FailureBoard, ProcessError
from .stop_vote import Request, StopVote

__all__ = ["Processes", "leave_processes"]

TIMEOUT = timedelta(minutes=10)
"""Longest time that a process waits for the others, in groups that this module starts."""

REMEDY = "make data, model and strategy from the same settings and seeds on all processes."
"""What to do where processes differ."""


def leave_processes(*, together: bool = False) -> None:
    """Leave the group of processes at the end of a program, where there is one.

    :param together: whether to wait for the other processes first.
    """
    if dist.is_initialized():
        if together:
            with suppress(RuntimeError):  # of a process that has ended
                dist.barrier()
        dist.destroy_process_group()


class Processes:
    """The W processes of the default group of ``torch.distributed``.

    Each process has one object, and calls the same methods in the same order. :meth:`join` makes
    it.

    :param device: device of the tensors that are exchanged.
    :raises ValueError: if the default group cannot exchange tensors of the device.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.size: int = dist.get_world_size() if dist.is_initialized() else 1
        """Number W of processes."""
        self.rank: int = dist.get_rank() if dist.is_initialized() else 0
        """Number of this process, from 0."""
        self.received: Counter[str] = Counter()
        """Bytes that this process has received, by kind of exchange."""
        self.interruption = Request()
        """Wish to write a checkpoint and to end, after a signal."""
        self._attach()

    def _attach(self) -> None:
        self.stop = StopVote(None, 1)
        """Wish to stop training, see Avalanche's ``stop_training``."""
        self._board: FailureBoard | None = None
        self._adds_natively = False
        if self.size == 1:
            return
        backend = dist.get_backend_config() if hasattr(dist, "get_backend_config") else ""
        backend = str(backend) or dist.get_backend()
        if self.device.type == "cuda" and "nccl" not in backend:
            raise ValueError(
                f"`device` {str(self.device)!r} needs a process group with the backend 'nccl', "
                f"found {backend!r}: leave `init_process_group` out, or give "
                "backend='cpu:gloo,cuda:nccl'."
            )
        if self.device.type == "cpu" and "gloo" not in backend and "mpi" not in backend:
            raise ValueError(
                f"`device` 'cpu' needs a process group with the backend 'gloo', found {backend!r}."
            )
        store = _get_default_store()
        self._board = FailureBoard(store, self.rank, self.size)
        self.stop = StopVote(store, self.size)
        self._adds_natively = self.device.type == "cuda"

    def __getstate__(self) -> dict[str, Any]:
        """State without the store, which copies find again."""
        return {**vars(self), "_board": None, "stop": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.size = dist.get_world_size() if dist.is_initialized() else 1
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self._attach()

    def __repr__(self) -> str:
        return f"Processes(rank={self.rank}, size={self.size}, device={str(self.device)!r})"

    @classmethod
    def join(cls, device: torch.device | str = "cpu") -> Processes:
        """Join the processes that ``torchrun`` or another launcher has started.

        An existing default group is used. Without one, the environment variables ``RANK``,
        ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT`` describe it; without these, the process
        is alone. On GPUs each process takes the one of its ``LOCAL_RANK``.

        :param device: device that trains.
        :raises ValueError: if the variables are incomplete, or the group cannot exchange tensors
            of the device.
        """
        device = torch.device(device)
        number = os.environ.get("WORLD_SIZE", "1")
        if not number.isdecimal() or int(number) < 1:
            raise ValueError(
                f"The environment variable WORLD_SIZE must be a whole number, at least 1, found "
                f"{number!r}."
            )
        if device.type == "cuda" and device.index is None and "LOCAL_RANK" in os.environ:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        if int(number) > 1 and not dist.is_initialized():
            missing = [n for n in ("RANK", "MASTER_ADDR", "MASTER_PORT") if n not in os.environ]
            if missing:
                raise ValueError(
                    f"The environment variable WORLD_SIZE is {number}, but {', '.join(missing)} "
                    "is missing: start the script with torchrun."
                )
            # Avalanche makes loggers at its import, which it refuses on processes of a group.
            importlib.import_module("avalanche.training")
            backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=TIMEOUT)
        return cls(device)

    @property
    def is_first(self) -> bool:
        """Whether this process writes what is written once."""
        return self.rank == 0

    @contextmanager
    def training(self) -> Iterator[None]:
        """Context of a training; the other processes are told of an error that leaves it."""
        if self._board is None:
            yield
            return
        self.stop.begin(self._board.begin())
        with self.watched():
            yield

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Context of a part of a program; the other processes are told of an error that leaves it.

        A test is such a part. The others wait for this process in the next training.
        """
        if self._board is None:
            yield
            return
        try:
            yield
        except ProcessError:
            raise
        except BaseException as error:
            self._board.report(error)
            raise

    # Exchanges

    def gather(self, own: Tensor, kind: str, out: Tensor | None = None) -> Tensor:
        """Gather tensors of one shape from all processes, ``[W, ...]``.

        :param own: tensor of this process.
        :param kind: kind of the exchange, for :attr:`received`.
        :param out: result, contiguous, with W times the elements of ``own``; a new tensor if
            omitted.
        """
        if self.size == 1:
            return own[None] if out is None else out.copy_(own.view(-1)).view(1, *own.shape)
        found = own.new_empty(self.size * own.numel()) if out is None else out
        found = found.view(self.size, *own.shape)
        self._call(_gather, found.view(-1), own.contiguous().view(-1))
        self.received[kind] += (self.size - 1) * own.numel() * own.element_size()
        return found

    def gather_together(self, own: Mapping[str, Tensor]) -> list[Tensor]:
        """Gather several tensors, each ``[W, ...]``; in one exchange if they have one type.

        :param own: tensors of this process by the kinds of their exchange.
        """
        kinds, tensors = list(own), list(own.values())
        if len(tensors) == 1 or len({each.dtype for each in tensors}) > 1:
            return [self.gather(each, kind) for kind, each in own.items()]
        lengths = [each.numel() for each in tensors]
        found = self.gather(torch.cat([each.reshape(-1) for each in tensors]), kinds[0])
        for kind, each in zip(kinds[1:], tensors[1:], strict=True):
            moved = (self.size - 1) * each.numel() * each.element_size()
            self.received[kinds[0]] -= moved
            self.received[kind] += moved
        pieces = zip(found.split(lengths, dim=1), tensors, strict=True)
        return [piece.reshape(self.size, *each.shape) for piece, each in pieces]

    def exchange(
        self,
        own: Tensor,
        sent: Sequence[int],
        received: Sequence[int],
        kind: str,
        out: Tensor | None = None,
    ) -> Tensor:
        """Send a piece to each process, and receive one from each.

        :param own: pieces one after the other, a vector.
        :param sent: elements for each process.
        :param received: elements from each process.
        :param kind: kind of the exchange, for :attr:`received`.
        :param out: result, a vector; a new tensor if omitted.
        :return: received pieces one after the other, a vector.
        """
        if self.size == 1:
            return own if out is None else out.copy_(own)
        found = own.new_empty(sum(received)) if out is None else out
        self._call(dist.all_to_all_single, found, own, list(received), list(sent))
        others = sum(received) - received[self.rank]
        self.received[kind] += others * own.element_size()
        return found

    def sum(self, own: Tensor, kind: str) -> Tensor:
        """Sum a tensor over all processes; the result is the same everywhere, bit for bit.

        :param own: tensor of this process.
        :param kind: kind of the exchange, for :attr:`received`.
        """
        if self.size == 1:
            return own
        if not self._adds_natively and own.numel() <= _SMALL:
            # In a fixed order. Of small tensors, gloo gathers in half of the time.
            return self.gather(own, kind).sum(dim=0)
        found = own.clone()
        self._call(dist.all_reduce, found)
        self.received[kind] += 2 * (self.size - 1) * own.numel() * own.element_size() // self.size
        return found

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.gather(torch.zeros(1, device=self.device), "waits")

    def broadcast(self, tensor: Tensor) -> None:
        """Replace the values of a tensor by those of process 0, in place."""
        if self.size == 1:
            return
        self._call(dist.broadcast, tensor, 0)
        if self.rank:
            self.received["broadcast"] += tensor.numel() * tensor.element_size()

    def agree(self, what: str, number: Tensor) -> None:
        """Check that a tensor has the same values on all processes.

        :param what: words for the message.
        :param number: tensor, the same on all processes.
        :raises ProcessError: if it differs.
        """
        found = self.gather(number.to(self.device), "checks")
        for rank, other in enumerate(found):
            if not torch.equal(other, found[0]):
                raise ProcessError(f"processes 0 and {rank} have different {what}: {REMEDY}")

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except RuntimeError as error:
            assert self._board is not None
            raise self._board.explain(error) from error


_SMALL = 16 * 1024  # elements up to which gathering is quicker than gloo's sum

# The name differs between the releases of PyTorch.
_gather: Callable[..., Any] = getattr(dist, "all_gather_single", dist.all_gather_into_tensor)
