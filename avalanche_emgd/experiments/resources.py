"""Number of threads and peak memory of a run."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

__all__ = ["PeakMemory", "threads_of_torch"]

_PERIOD = 0.02  # seconds


@contextmanager
def threads_of_torch(number: int) -> Iterator[None]:
    """Context in which operations of torch use a given number of threads of the CPU.

    :param number: number of threads, ≥ 1.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class PeakMemory:
    """Context manager that measures the peak memory.

    On CUDA devices, it is the memory that torch has allocated there. On other devices, it is the
    resident memory of the whole process, which a thread samples 50 times a second.

    :param device: device that trains the model.
    """

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._stop = threading.Event()
        self._peak = 0

    @property
    def megabytes(self) -> float:
        """Peak memory so far, in units of 10⁶ bytes."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) / 1e6
        return self._peak / 1e6

    def __enter__(self) -> PeakMemory:
        gc.collect()  # memory of an earlier run in this process
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._device.type != "cuda":
            self._stop.set()
            self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            self._peak = max(self._peak, process.memory_info().rss)
            if self._stop.wait(_PERIOD):
                return
