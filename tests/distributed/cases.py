"""What the processes of a pool run. Without a launcher, each is a run of one process."""

import os
import warnings
from unittest.mock import patch

import torch
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.training.plugins import EvaluationPlugin

from avalanche_emgd import CheckpointPlugin, EMGDStrategy
from avalanche_emgd.distributed import DistributedEngine, Processes, stop_vote
from avalanche_emgd.gradients import FusedEngine, PlainEngine
from avalanche_emgd.training import METHODS
from tests.distributed.networks import MODELS, mlp
from tests.distributed.plugins import Failing, Record, SavingAlone, Stopping
from tests.distributed.strategies import STRATEGIES
from tests.distributed.streams import stream_of
from tests.training.common import quiet


def noisy(inputs):
    """Augmentation of inputs of any shape."""
    return inputs + 0.1 * torch.randn_like(inputs)


ENGINES = {"plain": PlainEngine, "fused": FusedEngine, "lean": lambda: FusedEngine(lean=True)}


def train(
    stream="short", scenario="class", dtype=torch.float32, engine="fused", model="mlp",
    strategy="emgd", distributed=None, at=(1, 10), momentum=0.0, tests=False, shares=False,
    seed=0, fails=None, stops=None, checkpoint=None, every=None, restores=False, saves_alone=None,
    **options,
):  # fmt: skip
    """Train on a stream, and return what is compared.

    :param at: ticks after which the updates are returned.
    :param seed: seed of the model.
    :param checkpoint: path of the checkpoint, which is written after ``every`` ticks.
    :param restores: whether to continue from it.
    :param saves_alone: path of a checkpoint that process 0 writes by itself, after tick 7.
    :param stops: arguments of the plugin that asks to stop.
    :param fails: end of the last process at tick 5: ``"raises"`` or ``"killed"``.
    """
    is_launched = "WORLD_SIZE" in os.environ
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        benchmark = stream_of(stream, scenario, dtype)
        torch.manual_seed(seed)
        net, record = MODELS[model](), Record()
        plugins = [record] if fails is None else [record, Failing(fails)]
        keeper = None if checkpoint is None else CheckpointPlugin(checkpoint, every, at_end=False)
        plugins += [] if keeper is None else [keeper]
        plugins += [] if stops is None else [Stopping(*stops)]
        plugins += [] if saves_alone is None else [SavingAlone(saves_alone)]
        chosen = {
            "optimizer": torch.optim.SGD(net.parameters(), lr=0.05, momentum=momentum),
            "memory_size": 24, "engine": ENGINES[engine](), "evaluator": quiet(),
            "plugins": plugins, "distributed": distributed if is_launched else None,
        } | options  # fmt: skip
        if shares:
            chosen["shared"] = list(net.parameters())[:2]
        if tests:
            chosen["evaluator"] = lambda: EvaluationPlugin(
                accuracy_metrics(minibatch=True, stream=True), loggers=_loggers
            )
        # Seconds in which processes wait for the others to ask.
        grace = 0.2 if stops is not None and stops[-1] else 60.0
        with (
            warnings.catch_warnings(record=True) as found,
            patch.object(stop_vote, "_GRACE", grace),
        ):
            warnings.simplefilter("always")
            made = STRATEGIES[strategy](net, **chosen)
            assert not restores or keeper.restore(made)
            made.train(benchmark.train_stream, eval_streams=[])
            results = made.eval(benchmark.test_stream) if tests else {}
        memory = made.memory
        return {
            "updates": [record.updates[tick - 1] for tick in at],
            "weights": [record.weights[tick - 1] for tick in at],
            "losses": [torch.tensor(each) for each in record.losses],
            "outputs": torch.tensor(record.outputs),
            "state": {name: value.clone() for name, value in net.state_dict().items()},
            "memory": None if memory is None else memory.inputs.clone(),
            "results": results,
            "loggers": len(made.evaluator.loggers),
            "random": torch.get_rng_state(),
            "warnings": [str(each.message) for each in found],
        }
    finally:
        torch.set_default_dtype(before)


def _loggers():
    from avalanche.logging import TextLogger

    is_first = os.environ.get("RANK", "0") == "0"
    return [TextLogger(open(os.devnull, "w"))] if is_first else []


def methods(placement):
    """Train shortly by each method; return the weights after some ticks."""
    options = {"stream": "brief", "dtype": torch.float64, "at": (1, 8)}
    return {
        name: train(strategy=name, distributed=placement, **options)["weights"] for name in METHODS
    }


def error_of(**options):
    """Message of the error of a training, which all processes make."""
    return message_of(lambda: train(**options))


def message_of(script):
    """Message of the error of a script; ``None`` without one."""
    try:
        script()
    except (ValueError, TypeError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def restore(path):
    """Restore a checkpoint; return whether there is one."""
    net = mlp()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    strategy = EMGDStrategy(net, optimizer=optimizer, memory_size=24, distributed="auto")
    return CheckpointPlugin(path).restore(strategy)


def few_samples():
    """Forward two samples through a synchronised batch norm; return the error."""
    model = MODELS["synced"]()
    engine = DistributedEngine(PlainEngine(), Processes.join("cpu"), "by-sample")
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    engine.attach(model)
    try:
        engine.forward(model, [torch.zeros(4, 5), torch.zeros(2, 5)])
    except ValueError as error:
        return str(error)


def exchanges():
    """Small exchanges, and the bytes that this process has received."""
    processes = Processes.join("cpu")
    summed = processes.sum(torch.arange(3.0) + processes.rank, "sums")
    gathered = processes.gather(torch.tensor([float(processes.rank)]), "gathers")
    sent = torch.arange(float(processes.size)) + 10.0 * processes.rank
    ones = [1] * processes.size
    exchanged = processes.exchange(sent, ones, ones, "exchanges")
    return summed, gathered, exchanged, dict(processes.received)


def fingerprint():
    """Fingerprint of a benchmark, and the digest of a text."""
    return stream_of("short", "class", torch.float32).fingerprint, hash("text")
