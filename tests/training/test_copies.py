"""Copies of strategies and of their parts are complete at any time."""

import copy
import io
import pickle

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.evaluation.metrics import accuracy_metrics, loss_metrics
from avalanche.logging import InteractiveLogger, TensorboardLogger
from avalanche.training.plugins import EvaluationPlugin, EWCPlugin, LRSchedulerPlugin
from torch import nn

from avalanche_emgd import EMGDStrategy, ReplayMemory, gradient_diagnostics
from avalanche_emgd.evaluation import BatchedTensorboardLogger, PCLMetrics, editing_diagnostics
from avalanche_emgd.models import ClassMask
from avalanche_emgd.training.gradient_space import GradientSpace
from avalanche_emgd.training.methods import METHODS, make_method
from avalanche_emgd.training.peers import JointStrategy
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model, toy_strategy, weights_of


def saved(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


WAYS = {"deepcopy": copy.deepcopy, "pickle": pickled, "save": saved}
DIFFERENT = (copy.deepcopy, saved)  # `torch.save` pickles
BENCHMARK, AGAIN = toy_benchmark(), toy_benchmark()  # the second as another process makes it
EACH_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
CALLBACKS = (
    "before_training_iteration",
    "after_forward",
    "before_backward",
    "before_weighting",
    "after_weighting",
    "after_backward",
    "before_update",
    "after_update",
    "after_training_iteration",
)


class Copying(SupervisedPlugin):
    """Plugin that copies its strategy in a callback, once."""

    def __init__(self, event, tick, way):
        super().__init__()
        self.copies = []
        self.is_done = False

        def callback(strategy, *args, **kwargs):
            if strategy.tick == tick and not self.is_done:
                self.is_done = True
                self.copies.append(way(strategy))

        setattr(self, event, callback)

    def __getstate__(self):
        return {}  # a local function cannot be pickled


def of_method(name, benchmark, plugins=None):
    model = toy_model()
    return make_method(
        name,
        model,
        {},
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
        memory_size=12,
        seed=0,
        device="cpu",
        plugins=plugins,
        evaluator=quiet(PCLMetrics(benchmark), *gradient_diagnostics()),
    )


def go_on(strategy, stream):
    torch.manual_seed(5)
    results = strategy.train(stream)
    results.pop("Timeline", None)  # a picture
    return weights_of(strategy.model), results


@pytest.mark.parametrize("name", [name for name in METHODS if name != "joint"])
def test_copies_of_every_method_train_on_like_the_original(name):
    strategy = of_method(name, BENCHMARK)
    strategy.train(BENCHMARK.train_stream[:3])
    copies = [way(strategy) for way in DIFFERENT]
    weights, results = go_on(strategy, BENCHMARK.train_stream[3:])
    assert "A_ebar" in results
    for each in copies:
        found, numbers = go_on(each, AGAIN.train_stream[3:])
        assert torch.equal(found, weights)
        assert numbers == results


def test_copies_of_joint_training(drawn):
    benchmark = toy_benchmark()
    strategy = of_method("joint", benchmark)
    strategy.train(benchmark.train_stream)
    for way in WAYS.values():
        assert torch.equal(weights_of(way(strategy).model), weights_of(strategy.model))


@pytest.mark.parametrize("name", ["emgd-gmc", "der++", "icarl", "lwf", "mir", "gss", "si"])
@pytest.mark.parametrize("event", CALLBACKS)
def test_copies_in_the_middle_of_a_tick(name, event):
    plugins = [Copying(event, 4, way) for way in DIFFERENT]
    strategy = of_method(name, BENCHMARK, plugins)
    strategy.train(BENCHMARK.train_stream[:2])
    alike = set()
    for plugin in plugins:
        (found,) = plugin.copies
        assert found.mbatch is None
        assert not found.loss.requires_grad
        alike.add(tuple(go_on(found, BENCHMARK.train_stream[2:4])[0].tolist()))
    assert len(alike) == 1


def test_a_copy_from_the_end_of_an_experience_is_the_original():
    """A plugin's copy after the last tick trains like a copy made between two experiences."""
    benchmark = toy_benchmark()
    copies = []

    class AtEnd(SupervisedPlugin):
        def after_training_exp(self, strategy, *args, **kwargs):
            if strategy.experience.current_experience == 1:
                copies.append(copy.deepcopy(strategy))

        def __deepcopy__(self, memo):
            return self

    strategy = toy_strategy(memory_size=12, plugins=[AtEnd()])
    strategy.train(benchmark.train_stream[:2])
    expected = go_on(strategy, benchmark.train_stream[2:])[0]
    assert torch.equal(go_on(copies[0], benchmark.train_stream[2:])[0], expected)


@EACH_WAY
def test_training_with_loggers_schedulers_and_editing(way, tmp_path):
    benchmark = toy_benchmark()

    def fresh(loggers):
        model = toy_model()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return EMGDStrategy(
            model,
            optimizer=optimizer,
            memory_size=12,
            memory_editing="distance",
            plugins=[
                LRSchedulerPlugin(torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)),
                EWCPlugin(0.1),
            ],
            evaluator=EvaluationPlugin(
                accuracy_metrics(epoch=True, experience=True),
                loss_metrics(epoch=True),
                gradient_diagnostics(),
                editing_diagnostics(),
                loggers=loggers,
            ),
        )

    loggers = [
        InteractiveLogger(),
        TensorboardLogger(tmp_path / "one"),
        BatchedTensorboardLogger(tmp_path / "two"),
    ]
    strategy = fresh(loggers)
    strategy.train(benchmark.train_stream[:3])
    other = way(strategy)
    expected = go_on(strategy, benchmark.train_stream[3:])[0]
    assert torch.equal(go_on(other, benchmark.train_stream[3:])[0], expected)
    assert other.optimizer.param_groups[0]["lr"] == strategy.optimizer.param_groups[0]["lr"]
    other.eval(benchmark.test_stream)


def test_no_attribute_of_a_tick_keeps_its_graph():
    class AfterTick(SupervisedPlugin):
        def before_training_iteration(self, strategy, *args, **kwargs):
            if strategy.mb_output is not None:
                seen.append(graphs_in(strategy))

    seen = []
    for retain in (False, True):
        strategy = toy_strategy(memory_size=12, plugins=[AfterTick()])
        strategy.retain_graph = retain
        strategy.train(toy_benchmark().train_stream)
        seen.append(graphs_in(strategy))
    assert not any(seen)
    assert len(seen) > 10


def graphs_in(strategy):
    """Return the attributes of strategy and engine that hold a tensor with a graph."""
    found = []
    for owner in (strategy, strategy.engine):
        for name, value in vars(owner).items():
            pieces = value if isinstance(value, (list, tuple)) else [value]
            if any(isinstance(p, torch.Tensor) and p.grad_fn is not None for p in pieces):
                found.append(name)
    return found


@pytest.mark.parametrize("way", [*WAYS.values(), copy.copy], ids=[*WAYS, "copy"])
def test_changes_in_a_copied_memory_do_not_reach_the_original(way):
    strategy = toy_strategy(memory_size=12, memory_editing="distance")
    benchmark = toy_benchmark()
    strategy.train(benchmark.train_stream[:4])
    memory = strategy.memory
    assert torch.equal(strategy.memory_editing.originals[-1], memory.annotation("original")[-1])
    other = way(memory)
    assert torch.equal(other.inputs, memory.inputs)
    assert torch.equal(other.annotation("original"), memory.annotation("original"))
    before = memory.inputs.clone()
    other.inputs.fill_(7.0)
    for each in (memory, other):
        each.post_adapt(None, toy_benchmark().train_stream[4])
    assert torch.equal(other.choose(5), memory.choose(5))
    assert bool((other.inputs[: len(other) // 2] == 7.0).all())
    assert not bool((memory.inputs == 7.0).any())
    assert not bool((before == 7.0).any())


@EACH_WAY
def test_gradients_of_a_copied_space_are_its_own(way):
    model = nn.Linear(2, 3)
    _, space = way([model, GradientSpace(model)])
    space.update.copy_(torch.arange(9.0))
    space.assign(space.update, [True, True], accumulate=False)
    gradients = [p.grad for p in space.parameters]
    assert torch.equal(torch.cat([g.flatten() for g in gradients]), torch.arange(9.0))


@EACH_WAY
def test_parts_of_a_strategy(way, drawn):
    benchmark = toy_benchmark()
    metrics = PCLMetrics(benchmark)
    strategy = toy_strategy(memory_size=12, memory_editing="distance", evaluator=quiet(metrics))
    strategy.train(benchmark.train_stream)
    for name in ("memory_editing", "replay", "engine", "weighting", "elastic_factors", "evaluator"):
        assert type(way(getattr(strategy, name))) is type(getattr(strategy, name))
    assert torch.equal(way(strategy.elastic_factors).sigma, strategy.sigma)
    assert way(metrics).result() == metrics.result()
    assert way(metrics).benchmark == benchmark
    mask = way(strategy.class_mask)
    assert mask.started_tasks == (0, 1, 2)
    logits, tasks = torch.zeros(1, 9), torch.zeros(1, dtype=torch.long)
    assert torch.equal(mask(logits, tasks), strategy.class_mask(logits, tasks))


@pytest.mark.parametrize("kind", [EMGDStrategy, JointStrategy])
def test_copies_hold_no_data_of_the_benchmark(kind):
    """A saved strategy without metrics is smaller than its data."""
    benchmark = toy_benchmark((4000, 4000, 4000), batch_size=500)
    strategy = toy_strategy(kind, memory_size=6)
    strategy.train(benchmark.train_stream)
    data = 12_000 * 5 * 4
    assert len(pickle.dumps(strategy)) < data / 2


def test_an_empty_mask_and_memory():
    for way in WAYS.values():
        assert len(way(ReplayMemory(3))) == 0
        assert way(ClassMask()).started_tasks == ()
