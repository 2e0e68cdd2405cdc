"""A run on a live stream that continues from a state equals one that was never interrupted."""

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.models import IncrementalClassifier
from torch import nn

from avalanche_emgd import MLP, CheckpointPlugin, EMGDStrategy, live_metrics, load_checkpoint
from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.training.methods import METHODS, make_method
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_datasets
from tests.training.common import quiet, toy_strategy, weights_of

TRAIN = toy_datasets([36, 24, 28])
TEST = toy_datasets([16, 16, 16])
DATA = {
    "first": lambda: {"data": TRAIN[0], "test": TEST[0]},
    "second": lambda: {"data": list(TRAIN[1]), "test": TEST[1]},
    "third": lambda: {"data": TRAIN[2], "test": TEST[2]},
}
TIMES = {3: "second", 5: "third", 10: "first"}  # the first one has ended at 10


class Times(SupervisedPlugin):
    """Adds tasks at given ticks."""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream

    def after_training_iteration(self, strategy, **kwargs):
        name = TIMES.get(strategy.tick)
        if name is not None:
            self.stream.add_task(name=name, **DATA[name]())
        if strategy.tick == max(TIMES):
            self.stream.close()


class Save(MultiGradientPlugin):
    """Takes a state after a tick, as a file holds it, and perhaps interrupts the run."""

    def __init__(self, at, path, interrupts=True):
        super().__init__()
        self.at, self.path, self.interrupts = at, path, interrupts

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass

    def after_tick(self, strategy, **kwargs):
        if strategy.tick == self.at:
            torch.save(strategy.state_dict(), self.path)
            if self.interrupts:
                raise KeyboardInterrupt


def run(name, stream, *plugins):
    torch.manual_seed(0)
    model = MLP(1, in_features=5, hidden=(16, 8))
    (metrics,) = live_metrics(stream, every=7)
    strategy = make_method(
        name,
        model,
        {},
        optimizer=torch.optim.Adam(model.parameters(), lr=0.03),
        memory_size=12,
        seed=0,
        device="cpu",
        plugins=[Times(stream), *plugins],
        evaluator=quiet(metrics),
    )
    return strategy, metrics


def whole(name, *plugins):
    stream = LiveStream(batch_size=4, max_wait=60.0)
    stream.add_task(name="first", **DATA["first"]())
    strategy, metrics = run(name, stream, *plugins)
    strategy.train(stream)
    return strategy, metrics, stream


AT = {"emgd-gmc": (2, 3, 5, 7, 12), "emgd++": (3, 7, 12)}  # ticks of interrupted runs


@pytest.mark.parametrize("name", [name for name in METHODS if name != "joint"])
def test_every_method_continues_bit_for_bit(name, tmp_path):
    at = AT.get(name, (7,))  # when all tasks are active
    saves = [Save(tick, tmp_path / f"{tick}.pt", interrupts=False) for tick in at]
    expected, measured, complete = whole(name, *saves)
    for tick in at:
        path = tmp_path / f"{tick}.pt"
        if name in AT:
            stream = LiveStream(batch_size=4, max_wait=60.0)
            stream.add_task(name="first", **DATA["first"]())
            strategy, _ = run(name, stream, Save(tick, path))
            with pytest.raises(KeyboardInterrupt):
                strategy.train(stream)
        torch.manual_seed(123)
        resumed, state = (
            LiveStream(batch_size=4, max_wait=60.0),
            torch.load(path, weights_only=True),
        )
        for task in resumed.load_state_dict(state):
            resumed.add_task(name=task, **DATA[task]())
        if tick >= max(TIMES):
            resumed.close()
        ended = {task.name for task in resumed.tasks} - {
            each["name"] for each in state["loader"]["stream"]["tasks"] if each["is_active"]
        }
        for task in ended:
            resumed.set_test(task, DATA[task]()["test"])
        strategy, metrics = run(name, resumed)
        strategy.load_state_dict(state)
        strategy.train(resumed)
        assert torch.equal(weights_of(strategy.model), weights_of(expected.model))
        assert metrics.result() == measured.result()
        assert metrics.history == measured.history
        assert resumed.tasks == complete.tasks
        assert (resumed.tick, resumed.num_segments) == (complete.tick, complete.num_segments)


def test_between_two_calls_of_train():
    class Stop(SupervisedPlugin):
        def after_training_iteration(self, strategy, **kwargs):
            if strategy.tick == 6:
                strategy.stop_training()

    first, second = LiveStream(batch_size=4, max_wait=60.0), LiveStream(batch_size=4, max_wait=60.0)
    first.add_task(TRAIN[0], name="first")
    first.close()
    strategy = toy_strategy(memory_size=6, plugins=[Stop()], engine=PlainEngine())
    strategy.train(first)
    states = strategy.state_dict(), first.state_dict()
    strategy.train(first)
    assert second.load_state_dict(states[1]) == ["first"]
    with pytest.raises(ValueError, match=r"\['first'\] were active .*: add them again"):
        next(iter(second))
    second.add_task(TRAIN[0], name="first")
    second.close()
    other = toy_strategy(memory_size=6, plugins=[Stop()], engine=PlainEngine())
    other.load_state_dict(states[0])
    other.train(second)
    assert torch.equal(weights_of(strategy.model), weights_of(other.model))
    assert first.tasks == second.tasks


def test_a_state_without_that_of_the_stream(tmp_path):
    stream = LiveStream(batch_size=4, max_wait=60.0)
    stream.add_task(name="first", **DATA["first"]())
    strategy, _ = run("er", stream, Save(6, tmp_path / "6.pt"))
    with pytest.raises(KeyboardInterrupt):
        strategy.train(stream)
    other = LiveStream(batch_size=4, max_wait=60.0)
    other.add_task(name="first", **DATA["first"]())
    strategy, _ = run("er", other)
    with pytest.raises(ValueError, match="load the state of the stream first"):
        strategy.load_state_dict(torch.load(tmp_path / "6.pt", weights_only=True))
    strategy = toy_strategy(memory_size=12, plugins=[Save(6, tmp_path / "6.pt")])
    with pytest.raises(KeyboardInterrupt):
        strategy.train(other)
    fresh = LiveStream(batch_size=4, max_wait=60.0)
    fresh.add_task(name="first", **DATA["first"]())
    strategy = toy_strategy(memory_size=12)
    strategy.load_state_dict(torch.load(tmp_path / "6.pt", weights_only=True))
    with pytest.raises(ValueError, match="give the same stream"):
        strategy.train(fresh)


class Dynamic(nn.Module):
    """Model with Avalanche's growing head."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(5, 8), IncrementalClassifier(8, 1)

    def forward(self, x):
        return self.head(self.body(x).relu())


@pytest.mark.parametrize("model", [Dynamic, lambda: MLP(1, in_features=5)], ids=["own", "plain"])
@pytest.mark.parametrize("at", ["stop", 2, 8])
def test_heads_that_grow_before_and_after_a_restart(model, at, tmp_path):
    def strategy_of(*plugins):
        torch.manual_seed(0)
        own = model()
        return EMGDStrategy(
            own,
            memory_size=12,
            evaluator=None,
            optimizer=torch.optim.Adam(own.parameters(), lr=0.01),
            plugins=list(plugins),
        )

    class Stop(MultiGradientPlugin):
        def after_tick(self, strategy, **kwargs):
            if strategy.tick == 8:
                strategy.experience.stream.stop()

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    checkpoint = CheckpointPlugin(tmp_path / "run.pt", every=1000)
    stream = LiveStream(batch_size=4, max_wait=60.0)
    stream.add_task(TRAIN[0], name="first")
    stops = Stop() if at == "stop" else Save(at, tmp_path / "run.pt")
    strategy = strategy_of(stops, checkpoint)
    if at == "stop":
        strategy.train(stream)
        state = load_checkpoint(tmp_path / "run.pt")
    else:
        with pytest.raises(KeyboardInterrupt):
            strategy.train(stream)
        state = torch.load(tmp_path / "run.pt", weights_only=True)
    again = LiveStream(batch_size=4, max_wait=60.0)
    assert again.load_state_dict(state) == ["first"]
    again.add_task(TRAIN[0], name="first")
    again.add_task(TRAIN[2], name="third")
    again.close()
    resumed = strategy_of(checkpoint)
    resumed.load_state_dict(state)
    if at == "stop":
        assert resumed.state_dict()["loader"] == state["loader"]
    resumed.train(again)
    assert [task.samples for task in again.tasks] == [36, 28]
    if at == "stop":  # the first process goes on likewise
        stream.add_task(TRAIN[2], name="third")
        stream.close()
        torch.random.set_rng_state(state["random"]["torch"])
        strategy.train(stream)
        assert torch.equal(weights_of(resumed.model), weights_of(strategy.model))


def test_a_stream_that_has_ended_goes_on_with_further_tasks(tmp_path):
    checkpoint = CheckpointPlugin(tmp_path / "run.pt")
    stream = LiveStream(batch_size=4)
    stream.add_task(TRAIN[0], name="first")
    stream.close()
    strategy, _ = run("er", stream, checkpoint)
    strategy.plugins = [p for p in strategy.plugins if not isinstance(p, Times)]
    strategy.train(stream)
    again = LiveStream(batch_size=4)
    assert again.load_state_dict(load_checkpoint(tmp_path / "run.pt")) == []
    again.add_task(TRAIN[2], name="third")
    again.close()
    resumed, _ = run("er", again, checkpoint)
    resumed.plugins = [p for p in resumed.plugins if not isinstance(p, Times)]
    checkpoint.restore(resumed)
    resumed.train(again)
    assert [(task.name, task.samples) for task in again.tasks] == [("first", 36), ("third", 28)]
    assert set(resumed.memory.tasks) == {"first", "third"}
