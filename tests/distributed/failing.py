"""Trainings of which one process ends or is stopped."""

import os
import signal
import unittest.mock
from pathlib import Path

import torch
from avalanche.core import SupervisedPlugin

from avalanche_emgd import CheckpointPlugin, EMGDStrategy, Timeline, parallel_benchmark
from avalanche_emgd.distributed import Processes, failure
from avalanche_emgd.training import TrainingStopped
from tests.distributed.cases import error_of, message_of
from tests.distributed.networks import mlp
from tests.distributed.plugins import is_last
from tests.distributed.streams import stream_of
from tests.toy import toy_datasets
from tests.training.common import quiet, toy_strategy


def lose_folder(path):
    """Train while the folder of the checkpoint is gone; return the error of process 1."""
    processes = Processes.join("cpu")
    path.parent.mkdir(exist_ok=True)
    keeper = CheckpointPlugin(path, every=3)
    processes.wait()
    if processes.is_first:
        path.parent.rmdir()
    error = error_of(distributed="auto", plugins=[keeper], at=())
    if processes.is_first:
        os._exit(1)  # as the interpreter does after an error
    return error


def killed_while_writing(path):
    """Train until process 0 is killed in its second checkpoint; return the error of process 1."""
    processes, write_bytes, failure._PATIENCE = Processes.join("cpu"), Path.write_bytes, 1.0

    def written(draft, content):
        if processes.is_first and path.exists():
            write_bytes(draft, content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write_bytes(draft, content)

    options = {"distributed": "by-objective", "dtype": torch.float64, "at": ()}
    with unittest.mock.patch.object(Path, "write_bytes", written):
        return error_of(checkpoint=path, every=5, **options)


def stop(path, number):
    """Ask the last process to stop at tick 5, twice; return how each process stops."""
    processes = Processes.join("cpu")

    class Asking(SupervisedPlugin):
        def before_update(self, strategy, **kwargs):
            if strategy.tick == 5 and processes.rank == processes.size - 1:
                for _ in range(2):  # by the launcher and by the user
                    os.kill(os.getpid(), number)

    net = mlp()
    keeper = CheckpointPlugin(path)
    strategy = EMGDStrategy(
        net, optimizer=torch.optim.SGD(net.parameters(), lr=0.05), memory_size=24,
        evaluator=quiet(), plugins=[Asking(), keeper], distributed="auto",
    )  # fmt: skip
    try:
        with keeper.stopping():
            strategy.train(stream_of("short", "class", torch.float32).train_stream, eval_streams=[])
    except TrainingStopped as stopped:
        return stopped.number, strategy.clock.train_iterations, str(stopped)


def fail(way):
    """Train until the last process ends; the others return their error."""
    failure._PATIENCE = 1.0
    error = FAILURES[way]()
    if "no more samples" in error and error.startswith("ValueError"):
        os._exit(1)  # as the interpreter does after an error
    return error


class Unreadable(torch.utils.data.TensorDataset):
    """Samples that the last process cannot read after tick 3."""

    is_broken = False

    def __getitem__(self, index):
        if self.is_broken:
            raise ValueError("no more samples")
        return super().__getitem__(index)


class Breaking(SupervisedPlugin):
    """Breaks the data of the last process at tick 3."""

    def before_forward(self, strategy, **kwargs):
        Unreadable.is_broken = strategy.tick == 3 and is_last()


def _fail_to_load():
    data = [Unreadable(*each.tensors) for each in toy_datasets((46, 27))]
    spans = Timeline(((0, 9), (0, 5)))
    benchmark = parallel_benchmark(data, toy_datasets((46, 27)), spans, batch_size=5)
    strategy = toy_strategy(model=mlp(), distributed="auto", plugins=[Breaking()])
    return message_of(lambda: strategy.train(benchmark.train_stream, eval_streams=[]))


class Untested(SupervisedPlugin):
    """Lets tests fail on the last process."""

    def before_eval(self, strategy, **kwargs):
        if is_last():
            raise ValueError("no more samples")


def _fail_to_test():
    """Test between two trainings; the other processes have begun the second one."""
    benchmark = stream_of("brief", "class", torch.float32)
    strategy = toy_strategy(model=mlp(), distributed="auto", plugins=[Untested()])

    def script():
        strategy.train(benchmark.train_stream, eval_streams=[])
        strategy.eval(benchmark.test_stream)
        strategy.train(benchmark.train_stream, eval_streams=[])

    return message_of(script)


FAILURES = {
    "raises": lambda: error_of(distributed="auto", fails="raises"),
    "killed": lambda: error_of(distributed="auto", fails="killed"),
    "loader": _fail_to_load,
    "evaluation": _fail_to_test,
}
