"""Runs that are interrupted at a tick and continue in a fresh strategy."""

import io

import torch

from avalanche_emgd.evaluation import PCLMetrics, editing_diagnostics, gradient_diagnostics
from avalanche_emgd.experiments.trace import WeightTrace
from avalanche_emgd.training.methods import make_method
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model, weights_of


class Saved(MultiGradientPlugin):
    """Plugin that saves the state after ticks, as a file has it.

    :param ticks: numbers of the ticks from 0; all of them by default.
    """

    def __init__(self, ticks=None):
        super().__init__()
        self.ticks, self.files, self.tick = ticks, [], -1

    def after_tick(self, strategy, *args, **kwargs):
        self.tick += 1
        if self.ticks is None or self.tick in self.ticks:
            self.files.append(as_file(strategy.state_dict()))

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def as_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def from_file(content):
    return torch.load(io.BytesIO(content), weights_only=True)


def of_method(name, settings=None, plugins=(), benchmark=None, model=None, seed=0, **options):
    """Make a strategy as a new process makes it, with its benchmark and metrics."""
    torch.manual_seed(seed)
    benchmark = toy_benchmark() if benchmark is None else benchmark
    metrics = PCLMetrics(benchmark, every=2)
    model = toy_model() if model is None else model
    strategy = make_method(
        name,
        model,
        settings or {},
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
        memory_size=12,
        seed=0,
        device="cpu",
        plugins=[WeightTrace(1), *plugins],
        evaluator=quiet(metrics, *gradient_diagnostics(), *editing_diagnostics()),
        **options,
    )
    return strategy, metrics


def outcome(strategy, metrics):
    """Everything that two equal runs have in common, as comparable values."""
    trace = next(p for p in strategy.plugins if isinstance(p, WeightTrace))
    editing = getattr(strategy, "memory_editing", None)
    memory = getattr(strategy, "memory", None)
    return {
        "weights": weights_of(strategy.model).tolist(),
        "buffers": [b.tolist() for b in strategy.model.buffers()],
        "history": metrics.history,
        "result": metrics.result(),
        "trace": trace.trace,
        "clock": {n: v for n, v in vars(strategy.clock).items() if isinstance(v, int)},
        "last": {
            name: value
            for name, value in strategy.evaluator.get_last_metrics().items()
            if isinstance(value, int | float)
        },
        "edits": None if editing is None else editing.history,
        "memory": None if not memory else memory.inputs.tolist(),
        "random": torch.get_rng_state().tolist(),
    }


def assert_equal(found, expected):
    for name, value in expected.items():
        assert found[name] == value, name
