"""Processes of one group on this machine that run the cases that they are sent."""

import multiprocessing
import os
import socket
import traceback

import torch

_PATIENCE = 120.0  # seconds


class Pool:
    """W processes that run one case after the other.

    A process of its own imports everything once and forks the others, before it computes anything.

    :param sizes: numbers of processes of the groups; each group is by itself.
    """

    def __init__(self, sizes):
        context = multiprocessing.get_context("spawn")
        pipes = {size: [context.Pipe() for _ in range(size)] for size in sizes}
        self._ends = {size: [ours for ours, _ in found] for size, found in pipes.items()}
        theirs = {size: [end for _, end in found] for size, found in pipes.items()}
        ports = {size: free_port() for size in sizes}
        self._mother = context.Process(target=_fork, args=(theirs, ports))
        self._mother.start()

    def run(self, size, case, **options):
        """Run a case on all processes of a group; return the results in their order.

        :param case: function of a module.
        """
        return self.run_each(size, case, [options] * size)

    def run_each(self, size, case, options):
        """Run a case with other options on each process."""
        for end, own in zip(self._ends[size], options, strict=True):
            end.send((case, own))
        results = []
        for rank, end in enumerate(self._ends[size]):
            assert end.poll(_PATIENCE), f"process {rank} of {size} does not answer"
            results.append(end.recv())
        for rank, (is_right, result) in enumerate(results):
            assert is_right, f"process {rank} of {size}:\n{result}"
        return [result for _, result in results]

    def close(self):
        for ends in self._ends.values():
            for end in ends:
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
    from tests.distributed import cases  # noqa: F401  # imported before the forks

    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_work, args=(end, rank, size, ports[size]))
        for size, found in ends.items()
        for rank, end in enumerate(found)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _work(end, rank, size, port):
    join(rank, size, port)
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
