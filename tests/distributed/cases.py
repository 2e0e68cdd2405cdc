"""What the processes of a pool run. Without a launcher, each is a run of one process."""

import os
import signal
import unittest.mock
import warnings
from pathlib import Path

import torch
from avalanche.benchmarks import class_incremental_benchmark
from avalanche.benchmarks.utils import as_classification_dataset
from avalanche.core import SupervisedPlugin
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models import as_multitask
from avalanche.training.plugins import EvaluationPlugin, LwFPlugin
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import (
    MLP,
    CheckpointPlugin,
    EMGDStrategy,
    MultiGradientTemplate,
    Timeline,
    parallel_benchmark,
    save_checkpoint,
)
from avalanche_emgd.distributed import DistributedEngine, Processes, failure
from avalanche_emgd.experiments import RunConfig, run
from avalanche_emgd.experiments.trace import WeightTrace
from avalanche_emgd.gradients import FusedEngine, PlainEngine
from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training import METHODS, TrainingStopped, make_method
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark, toy_datasets
from tests.training.common import quiet, toy_strategy, weights_of


def noisy(inputs):
    """Augmentation of inputs of any shape."""
    return inputs + 0.1 * torch.randn_like(inputs)


ENGINES = {"plain": PlainEngine, "fused": FusedEngine, "lean": lambda: FusedEngine(lean=True)}


class Record(SupervisedPlugin):
    """Keeps the update and the weights after some ticks."""

    def __init__(self):
        super().__init__()
        self.updates, self.weights, self.losses, self.outputs = [], [], [], []

    def after_forward(self, strategy, **kwargs):
        self.outputs.append(float(strategy.mb_output.clamp(min=-1e3).sum()))

    def after_update(self, strategy, **kwargs):
        self.losses.append(strategy.objective_losses.tolist())
        gradients = [(p.grad, p) for p in strategy.model.parameters()]
        flat = [(torch.zeros_like(p) if g is None else g).flatten() for g, p in gradients]
        self.updates.append(torch.cat(flat))
        self.weights.append(weights_of(strategy.model))


def long_stream(scenario, dtype):
    """Four tasks of 52, 26, 50 and 30 ticks, at least two at a time, in 100 ticks."""
    spans = ((0, 51), (0, 25), (22, 71), (70, 99))
    return toy_benchmark((258, 130, 250, 148), 5, Timeline(spans), scenario, dtype)


def short_stream(scenario, dtype):
    """Three tasks in 22 ticks; the last minibatches have 1, 2 and 3 samples."""
    spans = ((0, 9), (0, 5), (8, 21))
    return toy_benchmark((46, 27, 68), 5, Timeline(spans), scenario, dtype)


def brief_stream(scenario, dtype):
    """Two tasks in 8 ticks."""
    return toy_benchmark((27, 25), 5, Timeline(((0, 5), (3, 7))), scenario, dtype)


def paired_stream(scenario, dtype):
    """Minibatches of at least four samples: batch norm cannot normalise a single one."""
    spans = ((0, 5), (0, 3), (4, 12))
    return toy_benchmark((46, 28, 68), 8, Timeline(spans), scenario, dtype)


def picture_stream(scenario, dtype):
    """Images of one row, in the ticks of the short stream."""
    sets = [
        TensorDataset(each.tensors[0].view(-1, 1, 1, 5), each.tensors[1])
        for each in toy_datasets((46, 27, 68), dtype=dtype)
    ]
    timeline = Timeline(((0, 9), (0, 5), (8, 21)))
    return parallel_benchmark(sets, sets, timeline, batch_size=5, scenario=scenario)


def serial_stream(scenario, dtype):
    """Tasks one after the other, with a lone objective at first: fewer than processes."""
    return toy_benchmark((20, 18), 4, Timeline(((0, 4), (5, 9))), scenario, dtype)


def ordinary_stream(scenario, dtype):
    """Avalanche's own benchmark, whose loader shuffles by the global generator."""
    data = torch.utils.data.ConcatDataset(toy_datasets((20, 17), dtype=dtype))
    data.targets = [int(data[i][1]) for i in range(len(data))]
    splits = {"train": as_classification_dataset(data), "test": as_classification_dataset(data)}
    return class_incremental_benchmark(splits, num_experiences=2, class_order=list(range(4)))


STREAMS = {
    "long": long_stream, "short": short_stream,
    "paired": paired_stream, "brief": brief_stream,
    "pictures": picture_stream, "serial": serial_stream, "ordinary": ordinary_stream,
}  # fmt: skip


# Models


class Normed(nn.Sequential):
    """Two batch norms, one of which counts a cumulative average."""

    def __init__(self):
        super().__init__(
            nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(),
            nn.Linear(16, 8), nn.BatchNorm1d(8, momentum=None), nn.ReLU(), nn.Linear(8, 8),
        )  # fmt: skip


class Counting(nn.Sequential):
    """Writes to a buffer in each pass."""

    def __init__(self):
        super().__init__(nn.Linear(5, 8))
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        self.passes += 1.0
        return super().forward(x)


class Mixing(nn.Sequential):
    """The output of a sample depends on its whole batch."""

    def __init__(self):
        super().__init__(nn.Linear(5, 8))

    def forward(self, x):
        return super().forward(x) * (1.0 + x.square().mean())


def mlp():
    return MLP(8, in_features=5, hidden=(16, 8))


MODELS = {
    "mlp": mlp,
    "normed": Normed,
    "counting": Counting,
    "mixing": Mixing,
    "heads": lambda: as_multitask(mlp(), "classifier"),
    "dropout": lambda: nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.5), nn.Linear(16, 8)),
    "instance": lambda: nn.Sequential(
        nn.Unflatten(1, (5, 1)), nn.InstanceNorm1d(5, track_running_stats=True), nn.Flatten(),
        nn.Linear(5, 8),
    ),
    "synced": lambda: nn.Sequential(nn.Linear(5, 8), nn.SyncBatchNorm(8)),
    "parallel": lambda: nn.DataParallel(nn.Linear(5, 8)),
}  # fmt: skip


# Losses and strategies


class Penalised(MultiGradientTemplate):
    """Losses depend on parameters directly, too."""

    def objective_loss(self, output, part):
        squares = [p.square().sum() for p in self.model.parameters()]
        return super().objective_loss(output, part) + 0.01 * torch.stack(squares).sum()


class Entangling(SupervisedPlugin):
    """Lets the losses of all objectives depend on the outputs of all."""

    def after_forward(self, strategy, **kwargs):
        mean = strategy.mb_output.clamp(-5.0, 5.0).tanh().mean()
        strategy.mb_output = strategy.mb_output * (1.0 + 0.1 * mean)


class Extending(SupervisedPlugin):
    """Adds a function of the outputs to the loss."""

    def before_backward(self, strategy, **kwargs):
        strategy.loss += 0.1 * strategy.mb_output.clamp(-5.0, 5.0).square().mean()


class Accumulating(EMGDStrategy):
    """Updates the model at every second tick, by the sum of two updates."""

    kept = None

    def optimizer_step(self):
        gradients = [p.grad.clone() for p in self.model.parameters()]
        if self.kept is None:
            self.kept = gradients
            return
        for parameter, first, second in zip(
            self.model.parameters(), self.kept, gradients, strict=True
        ):
            parameter.grad = first + second
        self.kept = None
        super().optimizer_step()


STRATEGIES = {
    "emgd": EMGDStrategy,
    "accumulating": Accumulating,
    "penalised": lambda net, **options: Penalised(net, weighting=ERWeighting(), **options),
    "entangled": lambda net, plugins, **options: EMGDStrategy(
        net, plugins=[Entangling(), *plugins], **options
    ),
    "extended": lambda net, plugins, **options: EMGDStrategy(
        net, plugins=[Extending(), *plugins], **options
    ),
    "distilled": lambda net, plugins, **options: EMGDStrategy(
        net, plugins=[LwFPlugin(1.0, 2.0), *plugins], **options
    ),
}


def _by_method(name):
    def make(net, engine, distributed, memory_size, **options):
        kept = memory_size if METHODS[name].has_memory else 0
        made = make_method(name, net, {}, memory_size=kept, seed=0, device="cpu", **options)
        if distributed is not None:
            made.use_processes(distributed)
        return made

    return make


STRATEGIES |= {name: _by_method(name) for name in METHODS}


def train(
    stream="short", scenario="class", dtype=torch.float32, engine="fused", model="mlp",
    strategy="emgd", distributed=None, at=(1, 10), momentum=0.0, tests=False, shares=False,
    seed=0, fails=None, checkpoint=None, every=None, restores=False, saves_alone=None,
    **options,
):  # fmt: skip
    """Train on a stream, and return what is compared.

    :param at: ticks after which the updates are returned.
    :param seed: seed of the model.
    :param checkpoint: path of the checkpoint, which is written after ``every`` ticks.
    :param restores: whether to continue from it.
    :param saves_alone: path of a checkpoint that process 0 writes by itself, after tick 14.
    :param fails: end of the last process at tick 5: ``"raises"`` or ``"killed"``.
    """
    is_launched = "WORLD_SIZE" in os.environ
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        benchmark = STREAMS[stream](scenario, dtype)
        torch.manual_seed(seed)
        net, record = MODELS[model](), Record()
        plugins = [record] if fails is None else [record, Failing(fails)]
        keeper = None if checkpoint is None else CheckpointPlugin(checkpoint, every, at_end=False)
        plugins += [] if keeper is None else [keeper]
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
        with warnings.catch_warnings(record=True) as found:
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


class Failing(SupervisedPlugin):
    """Ends the last process at tick 5."""

    def __init__(self, way):
        super().__init__()
        self.way = way

    def before_forward(self, strategy, **kwargs):
        if strategy.tick == 5 and is_last():
            if self.way == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("no more samples")


class SavingAlone(MultiGradientPlugin):
    """Saves the state on process 0 after tick 14."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def after_tick(self, strategy, **kwargs):
        if strategy.clock.train_iterations == 14 and strategy.processes.is_first:
            save_checkpoint(self.path, strategy.state_dict())

    def state_dict(self):
        return {}


def restore(path):
    """Restore a checkpoint; return whether there is one."""
    net = mlp()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    strategy = EMGDStrategy(net, optimizer=optimizer, memory_size=24, distributed="auto")
    return CheckpointPlugin(path).restore(strategy)


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


def run_method(output, stops_at=None, resume=False):
    """Run emgd++ with its files; a signal to the last process may stop it at a tick."""
    before, last = WeightTrace.after_weighting, int(os.environ.get("WORLD_SIZE", "1")) - 1

    def after_weighting(self, strategy, *args, **kwargs):
        if strategy.tick == stops_at and int(os.environ.get("RANK", "0")) == last:
            os.kill(os.getpid(), signal.SIGTERM)
        before(self, strategy, *args, **kwargs)

    config = RunConfig(
        method="emgd++", num_tasks=2, batch_size=32, eval_every=10, memory_per_class=2
    )
    try:
        with unittest.mock.patch.object(WeightTrace, "after_weighting", after_weighting):
            run(config, output, progress=False, on_signals=True, resume=resume)
    except TrainingStopped:
        return "stopped"
    return "finished"


def run_differently(output):
    """Run with another seed on each process; return the error."""
    try:
        run(RunConfig(seed=int(os.environ["RANK"])), output, progress=False)
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"


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
            strategy.train(short_stream("class", torch.float32).train_stream, eval_streams=[])
    except TrainingStopped as stopped:
        return stopped.number, strategy.clock.train_iterations, str(stopped)


def is_last():
    return int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]) - 1


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
    benchmark = brief_stream("class", torch.float32)
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


def message_of(script):
    """Message of the error of a script; ``None`` without one."""
    try:
        script()
    except (ValueError, TypeError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _differing(what, rank):
    """Strategy and stream that differ between processes in one thing."""
    benchmark = STREAMS["serial" if what == "stream" and rank else "short"]("class", torch.float32)
    if what == "order":
        data = toy_datasets((46, 27))
        spans = Timeline(((0, 9), (0, 5)))
        benchmark = parallel_benchmark(data, data, spans, batch_size=5, seed=rank)
    options = {"memory_size": 24, "distributed": "auto"}
    if what == "memory":
        options["seed"] = rank
    if what == "augmentation" and rank:
        options["memory_augmentation"] = noisy
    if what == "placement":
        options["distributed"] = ("by-objective", "by-sample")[rank]
    if what == "at the end":
        options["plugins"] = [Drifting()]
    net = mlp()
    rate = 0.05 * (1 + rank) if what == "rate" else 0.05
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    if what == "optimizer" and rank:
        optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    if what != "weighting":
        return EMGDStrategy(net, optimizer=optimizer, evaluator=quiet(), **options), benchmark
    weighting = ERWeighting() if rank else EMGDWeighting("gmc")
    made = MultiGradientTemplate(
        net, weighting=weighting, optimizer=optimizer, evaluator=quiet(), **options
    )
    return made, benchmark


class Drifting(MultiGradientPlugin):
    """Moves a parameter of the last process after the last tick."""

    def after_training(self, strategy, **kwargs):
        if is_last():
            next(strategy.model.parameters()).data.add_(1.0)


def differ(what):
    """Train two processes that differ in one thing; return the error."""
    strategy, benchmark = _differing(what, int(os.environ["RANK"]))
    return message_of(lambda: strategy.train(benchmark.train_stream, eval_streams=[]))


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
