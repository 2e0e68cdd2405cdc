"""Processes that are threads of this one: their exchanges go through shared memory.

What is exchanged, counted and compared is decided by ``Processes`` itself; only the collective
operations of ``torch.distributed`` are replaced.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch
import torch.distributed as dist

from avalanche_emgd.distributed import Processes

_PATIENCE = 60.0  # seconds


class ThreadProcesses(Processes):
    """One of several threads that call the same methods in the same order."""

    def __init__(self, rank, slots, barrier):
        super().__init__()
        self.rank, self.size = rank, len(slots)
        self._slots, self._barrier = slots, barrier

    def _call(self, function, *arguments):
        if function is dist.broadcast:
            tensor, source = arguments
            values = self._swapped(tensor)[source]
            if self.rank != source:
                tensor.copy_(values)
        elif function is dist.all_to_all_single:
            into, own, _, sent = arguments
            pieces = [
                values.split(split)[self.rank] for values, split in self._swapped((own, sent))
            ]
            into.copy_(torch.cat(pieces))
        else:
            into, own = arguments
            into.copy_(torch.cat(self._swapped(own)))
        self._barrier.wait(_PATIENCE)

    def _swapped(self, own):
        self._slots[self.rank] = own
        self._barrier.wait(_PATIENCE)
        return list(self._slots)


def in_threads(size, case):
    """Call ``case(processes)`` in each of several threads; return the results in their order.

    The first error that is not the end of another thread is raised.
    """
    slots, barrier, errors = [None] * size, threading.Barrier(size), []

    def work(rank):
        try:
            return case(ThreadProcesses(rank, slots, barrier))
        except threading.BrokenBarrierError:
            return None
        except BaseException as error:
            errors.append(error)
            barrier.abort()
            return None

    with ThreadPoolExecutor(size) as pool:
        results = list(pool.map(work, range(size)))
    if errors:
        raise errors[0]
    return results
