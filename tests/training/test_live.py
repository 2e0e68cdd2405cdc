"""Every built-in method on a live stream whose tasks and classes come while training runs."""

import copy
import threading
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.models import IncrementalClassifier, MTSimpleMLP
from avalanche.models.dynamic_modules import MultiTaskModule
from torch import nn

from avalanche_emgd import MLP, AvgGradStrategy, EMGDStrategy, live_metrics
from avalanche_emgd.benchmarks.live import LiveSegment, LiveStream
from avalanche_emgd.training.live import check_live
from avalanche_emgd.training.methods import METHODS, make_method
from tests.toy import toy_datasets
from tests.training.common import quiet, toy_strategy, weights_of

every = pytest.mark.parametrize("name", [name for name in METHODS if name != "joint"])

TRAIN = toy_datasets([60, 48, 52])
TEST = toy_datasets([40, 40, 40], seed=0)


class Script(SupervisedPlugin):
    """Adds tasks at given ticks, from a callback, and closes the stream after the last one.

    :param additions: keyword arguments of ``add_task`` at each tick.
    """

    def __init__(self, stream, additions):
        super().__init__()
        self.stream, self.additions = stream, dict(additions)
        self.segments = []

    def after_training_iteration(self, strategy, **kwargs):
        for arguments in self.additions.pop(strategy.tick, ()):
            self.stream.add_task(**arguments)
        if not self.additions:
            self.stream.close()

    def before_training_exp(self, strategy, **kwargs):
        self.segments.append((strategy.experience, strategy.clock.train_iterations))


def scripted(scenario="class", batch_size=4):
    """Make a stream whose second and third task come later, and whose first task returns."""
    stream = LiveStream(scenario=scenario, batch_size=batch_size, max_wait=60.0)
    stream.add_task(TRAIN[0], name="first", test=TEST[0])
    script = Script(
        stream,
        {
            4: [{"data": iter(list(TRAIN[1])), "name": "second", "test": TEST[1]}],
            9: [{"data": list(TRAIN[2]), "classes": [4, 5], "name": "third", "test": TEST[2]}],
            17: [{"data": TRAIN[0], "name": "first"}],
        },
    )
    return stream, script


def train(name, scenario="class", memory_size=12, lr=0.03, model=None):
    stream, script = scripted(scenario)
    torch.manual_seed(0)
    model = MLP(1, in_features=5, hidden=(16, 8)) if model is None else model
    (metrics,) = live_metrics(stream)
    strategy = make_method(
        name,
        model,
        {},
        optimizer=torch.optim.Adam(model.parameters(), lr=lr),
        memory_size=memory_size,
        seed=0,
        device="cpu",
        plugins=[script],
        evaluator=quiet(metrics),
    )
    torch.manual_seed(1)
    strategy.train(stream)
    return strategy, stream, script, metrics


@every
@pytest.mark.parametrize("scenario", ["class", "task"])
def test_every_method_learns_with_heads_that_grow(name, scenario):
    strategy, stream, _, metrics = train(name, scenario)
    assert stream.has_ended
    assert strategy.clock.train_iterations == stream.tick
    assert [task.samples for task in stream.tasks] == [120, 48, 52]
    assert [task.rounds for task in stream.tasks] == [2, 1, 1]
    learned = {"class": 0.5, "task": 0.75}[scenario]  # chance is 1/6 to 1/2, and 1/2
    assert metrics.result().A_e >= learned
    if scenario == "class" and name in ("emgd-gmc", "db-mtl", "si", "gss", "icarl"):
        again, *_ = train(name, scenario)
        assert torch.equal(weights_of(again.model), weights_of(strategy.model))


def test_segments_are_experiences():
    _, stream, script, _ = train("emgd-gmc")
    segments, starts = zip(*script.segments, strict=True)
    assert all(isinstance(segment, LiveSegment) for segment in segments)
    # A segment begins where another one ends, and has one set of active tasks.
    assert [segment.ticks.start for segment in segments] == list(starts)
    for one, other in pairwise(segments):
        assert one.ticks.stop == other.ticks.start
        assert one.active_tasks != other.active_tasks or one.finishing_tasks
    assert segments[-1].ticks.stop == stream.tick
    assert [segment.current_experience for segment in segments] == list(range(len(segments)))
    finished = [task for segment in segments for task in segment.finishing_tasks]
    assert sorted(finished) == [0, 0, 1, 2]
    started = [task for segment in segments for task in segment.starting_tasks]
    assert started == [0, 1, 2]
    assert segments[0].classes_in_this_experience == [0, 1]
    assert segments[-1].classes_seen_so_far == [0, 1, 2, 3, 4, 5]


def test_every_active_task_delivers_one_minibatch_at_a_tick():
    seen = []

    class Look(SupervisedPlugin):
        def before_training_iteration(self, strategy, **kwargs):
            parts = [p for p in strategy.mbatch.parts if not p.replayed]
            names = strategy.experience.benchmark.task_names
            active = [names[task] for task in strategy.experience.active_tasks]
            assert [part.objective for part in parts] == active
            seen.append(strategy.mbatch.tick)

    stream, script = scripted()
    strategy = toy_strategy(AvgGradStrategy, memory_size=6, plugins=[script, Look()])
    strategy.train(stream)
    assert seen == list(range(stream.tick))


class Dynamic(nn.Module):
    """Avalanche's growing classifier behind a hidden layer."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(5, 8)
        self.head = IncrementalClassifier(8, 2)

    def forward(self, x):
        return self.head(self.hidden(x).relu())


class MultiHead(MTSimpleMLP):
    def __init__(self):
        super().__init__(input_size=5, hidden_size=8)


@pytest.mark.parametrize("kind", [Dynamic, MultiHead])
def test_dynamic_modules_of_avalanche(kind):
    torch.manual_seed(0)
    model = kind()
    scenario = "task" if issubclass(kind, MultiTaskModule) else "class"
    strategy, stream, _, metrics = train("emgd-gmc", scenario, model=model)
    assert stream.has_ended
    assert metrics.result().A_e >= 0.5
    for parameter in strategy.model.parameters():
        assert any(parameter is p for g in strategy.optimizer.param_groups for p in g["params"])
        assert int(strategy.optimizer.state[parameter]["step"]) > 0


class Moments(SupervisedPlugin):
    """Remembers the optimizer's state before each segment."""

    def __init__(self):
        super().__init__()
        self.at_end, self.at_start = [], []

    def state(self, strategy):
        return {
            name: copy.deepcopy(strategy.optimizer.state.get(parameter, {}))
            for name, parameter in strategy.model.named_parameters()
        }

    def before_training_exp(self, strategy, **kwargs):
        self.at_start.append(self.state(strategy))

    def after_training_exp(self, strategy, **kwargs):
        self.at_end.append(self.state(strategy))


@pytest.mark.parametrize("kind", [Dynamic, lambda: MLP(1, in_features=5, hidden=(8,))])
def test_the_state_of_the_optimizer_is_kept_where_heads_grow(kind):
    stream, script = scripted()
    torch.manual_seed(0)
    model, moments = kind(), Moments()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    strategy = EMGDStrategy(
        model,
        optimizer=optimizer,
        memory_size=6,
        plugins=[script, moments],
        evaluator=None,
    )
    strategy.train(stream)
    grown = 0
    for after, before in zip(moments.at_end, moments.at_start[1:], strict=False):
        for name, state in after.items():
            for key, old in state.items():
                new = before[name][key]
                if new.shape == old.shape:
                    assert torch.equal(new, old), (name, key)
                else:
                    grown += 1
                    inside = tuple(map(slice, old.shape))
                    assert torch.equal(new[inside], old)
                    assert new.abs().sum() == old.abs().sum()
    assert grown >= 8  # two growths, weight and bias, two moments


@pytest.mark.parametrize("name", ["db-mtl", "excess-mtl", "si", "ewc", "mdmt-r"])
def test_states_of_the_size_of_the_model_follow_its_growth(name):
    # The state of a parameter that does not grow is the same as with a head that is wide enough.
    strategy, *_ = train(name)
    assert len(strategy.space.update) == sum(p.numel() for p in strategy.model.parameters())


def test_a_state_moves_with_its_parameters():
    from avalanche_emgd.optim.peers import DBMTL
    from avalanche_emgd.training.gradient_space import GradientSpace, positions_of
    from avalanche_emgd.training.live import Heads

    class Segment:
        active_tasks = (0,)

        class benchmark:  # noqa: N801
            identity, label_sets, num_classes = "a", ((0, 1, 2),), 3

    class Strategy:
        device = "cpu"
        optimized_param_id = None
        model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    before = GradientSpace(Strategy.model)
    numbers = torch.cat([p.detach().reshape(-1) for p in Strategy.model.parameters()])
    replaced = Heads().grow(Strategy, Segment)
    after = GradientSpace(Strategy.model)
    positions = positions_of(before, after, replaced)
    now = torch.cat([p.detach().reshape(-1) for p in Strategy.model.parameters()])
    assert torch.equal(now[positions], numbers)
    assert len(positions.unique()) == len(numbers)
    weighting = DBMTL()
    weighting._state = {"task": (3, numbers.clone())}
    weighting.move_state(positions, len(now))
    ticks, moved = weighting._state["task"]
    assert ticks == 3
    assert torch.equal(moved[positions], numbers)
    assert len(moved) == len(now)
    assert float(moved.abs().sum()) == pytest.approx(float(numbers.abs().sum()))


def test_shared_parameters_that_grow():
    stream, script = scripted()
    torch.manual_seed(0)
    model = MLP(2, in_features=5, hidden=(8,))
    strategy = toy_strategy(
        model=model, memory_size=6, shared=list(model.parameters()), plugins=[script]
    )
    strategy.train(stream)
    assert strategy.space.num_shared == sum(p.numel() for p in model.parameters())


def test_tasks_from_another_thread():
    stream = LiveStream(batch_size=4, max_wait=5.0)
    strategy = toy_strategy(AvgGradStrategy, memory_size=6)

    def produce():
        for task in range(3):
            time.sleep(0.05)
            stream.add_task(iter(list(TRAIN[task])), classes=[2 * task, 2 * task + 1])
        stream.close()

    thread = threading.Thread(target=produce)
    thread.start()
    strategy.train(stream)
    thread.join()
    assert [task.samples for task in stream.tasks] == [60, 48, 52]


def test_the_elastic_state_of_a_task_that_returns_is_found_again():
    kept = {}

    class Look(SupervisedPlugin):
        def before_training_exp(self, strategy, **kwargs):
            state = dict(strategy.weighting.elastic.state_dict()["objectives"])
            kept.setdefault(strategy.experience.current_experience, state)

    stream = LiveStream(batch_size=4, max_wait=60.0)
    stream.add_task(TRAIN[0], name="first")
    strategy = toy_strategy(memory_size=6, plugins=[Look()])
    stream.close()
    strategy.train(stream)
    assert "first" in dict(strategy.weighting.elastic.state_dict()["objectives"])


def test_states_as_large_as_the_model_are_dropped_at_the_end_of_a_task():
    strategy, *_ = train("db-mtl")
    names = {name for name in strategy.weighting._state if not name.startswith("memory")}
    assert names == set()


def test_stop_training_and_going_on():
    stream, script = scripted()

    class Stop(SupervisedPlugin):
        def after_training_iteration(self, strategy, **kwargs):
            if strategy.tick == 6:
                strategy.stop_training()
            if strategy.tick == 11:
                stream.stop()

    strategy = toy_strategy(memory_size=6, plugins=[script, Stop()])
    ticks = []
    for _ in range(3):
        strategy.train(stream)
        ticks.append(stream.tick)
    assert ticks[:2] == [7, 12]
    assert stream.has_ended
    # No minibatch is lost.
    assert [task.samples for task in stream.tasks] == [120, 48, 52]
    assert strategy.clock.train_iterations == stream.tick


def test_segment_by_segment():
    stream, script = scripted()
    strategy = toy_strategy(memory_size=6, plugins=[script])
    for segment in stream:
        strategy.train(segment)
    whole, others = scripted()
    other = toy_strategy(memory_size=6, plugins=[others])
    other.train(whole)
    assert torch.equal(weights_of(strategy.model), weights_of(other.model))


def test_copies_in_mid_stream():
    stream, script = scripted()
    copies = []

    class Copy(SupervisedPlugin):
        def after_training_iteration(self, strategy, **kwargs):
            if strategy.tick == 10:
                plugins, strategy.plugins = strategy.plugins, []
                copies.append(copy.deepcopy(strategy))
                strategy.plugins = plugins

    strategy = toy_strategy(memory_size=6, plugins=[script, Copy()])
    strategy.train(stream)
    assert copies[0].memory is not strategy.memory
    assert copies[0].class_mask.started_tasks == (0, 1, 2)


def test_evaluation_with_avalanche_in_mid_stream():
    stream, script = scripted()
    found = []

    class Test(SupervisedPlugin):
        def after_training_iteration(self, strategy, **kwargs):
            if strategy.tick == 20:
                before = weights_of(strategy.model)
                found.append(strategy.eval(stream.test_stream))
                assert torch.equal(before, weights_of(strategy.model))

    from avalanche.evaluation.metrics import accuracy_metrics

    evaluator = quiet(*accuracy_metrics(experience=True))
    strategy = toy_strategy(
        memory_size=6, plugins=[script, Test()], evaluator=evaluator, tested_weights="average"
    )
    strategy.train(stream)
    assert len([name for name in found[0] if "Exp" in name]) == 3
    assert stream.has_ended


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_epochs": 2}, "`train_epochs` must be 1 for a live stream"),
        (
            {"criterion": nn.CrossEntropyLoss(label_smoothing=0.1)},
            "`criterion` has label_smoothing=0.1",
        ),
    ],
)
def test_what_a_live_stream_cannot_do(change, message):
    with pytest.raises(ValueError, match=message):
        toy_strategy(memory_size=0, **change).train(LiveStream())


def test_several_processes():
    strategy = toy_strategy(memory_size=0)
    strategy.processes = SimpleNamespace(size=2)
    with pytest.raises(ValueError, match="`distributed` trains on 2 processes: leave it out"):
        check_live(strategy, LiveStream())


def test_joint_training_needs_all_data():
    with pytest.raises(ValueError, match="JointStrategy needs all data beforehand"):
        train("joint")


def test_a_single_last_sample_is_dropped_for_batch_norm():
    stream = LiveStream(batch_size=4, max_wait=60.0)
    stream.add_task(torch.utils.data.Subset(TRAIN[0], range(9)))
    stream.close()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    toy_strategy(model=model, memory_size=0).train(stream)
    assert (stream.tick, stream.num_dropped, stream.tasks[0].samples) == (2, 1, 8)


def test_a_classifier_that_cannot_grow():
    model = nn.Sequential(nn.Linear(5, 8), nn.utils.parametrizations.weight_norm(nn.Linear(8, 2)))
    stream, script = scripted()
    with pytest.raises(ValueError, match="cannot grow to 4 outputs: make it with as many"):
        toy_strategy(model=model, memory_size=0, plugins=[script]).train(stream)
