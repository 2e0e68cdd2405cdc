"""Processes of one group on this machine that run the cases that they are sent."""

import multiprocessing
import os
import socket
import traceback
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait

import torch

_PATIENCE = 300.0  # seconds, on a machine that is busy
_START = 300.0  # seconds


class Pool:
    """Groups of processes that run one case after the other.

    A process of its own imports everything once and forks the others, before it computes anything.
    Tests compute what they expect meanwhile.

    :param sizes: number of processes of each group, by its name.
    """

    def __init__(self, sizes):
        context = multiprocessing.get_context("spawn")
        pipes = {name: [context.Pipe() for _ in range(size)] for name, size in sizes.items()}
        self._ends = {name: [ours for ours, _ in found] for name, found in pipes.items()}
        theirs = {name: [end for _, end in found] for name, found in pipes.items()}
        ports = {name: free_port() for name in sizes}
        self._mother = context.Process(target=_fork, args=(theirs, ports))
        self._mother.start()
        self._starting = set(sizes)

    def run(self, group, case, **options):
        """Run a case on all processes of a group; return the results in their order.

        :param case: function of a module.
        """
        self.send(group, case, **options)
        return self.collect(group)

    def collect(self, group):
        """Wait for the results of all processes of a group, in their order."""
        waiting, results = dict(enumerate(self._ends[group])), {}
        while waiting:
            ready = wait(waiting.values(), _PATIENCE)
            assert ready, f"processes {list(waiting)} of {group} are silent"
            for rank in [rank for rank, end in waiting.items() if end in ready]:
                is_right, result = waiting.pop(rank).recv()
                # At once: the others may wait for this process.
                assert is_right, f"process {rank} of {group}:\n{result}"
                results[rank] = result
        return [results[rank] for rank in sorted(results)]

    def send(self, group, case, **options):
        for end in self._ends[group] if group in self._starting else []:
            assert end.poll(_START), "the processes do not start"
            assert end.recv() == "ready"
        self._starting.discard(group)
        for end in self._ends[group]:
            end.send((case, options))

    def answer(self, group, rank):
        """Wait for the answer of a process: whether the case has ended well, and its result."""
        assert self._ends[group][rank].poll(_PATIENCE), f"process {rank} of {group} is silent"
        return self._ends[group][rank].recv()

    def close(self):
        for ends in self._ends.values():
            for end in ends:
                with suppress(OSError):  # of a process that has ended in its test
                    end.send(None)
        self._mother.join(_PATIENCE)


def free_port():
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def join(rank, size, port):
    """Set what a launcher sets."""
    torch.set_num_threads(1)
    variables = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in variables.items()})
    os.environ["MASTER_ADDR"] = "127.0.0.1"


def _fork(ends, ports):
    from tests.distributed import differing, experiments, failing  # noqa: F401  # before the forks

    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_work, args=(end, rank, len(found), ports[name]))
        for name, found in ends.items()
        for rank, end in enumerate(found)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    os._exit(0)  # without the clean-up of everything that was imported


def _work(end, rank, size, port):
    join(rank, size, port)
    end.send("ready")
    while True:
        order = end.recv()
        if order is None:
            break
        case, options = order
        try:
            end.send((True, case(**options)))
        except BaseException:
            end.send((False, traceback.format_exc()))
    # Without the clean-up of an interpreter that was forked.
    os._exit(0)


@contextmanager
def one_thread():
    """Compute with one thread, as the processes of a pool do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
