"""Every built-in method on a live stream whose tasks and classes come while training runs."""

import copy
import threading
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import nn

from avalanche_emgd import AvgGradStrategy, live_metrics
from avalanche_emgd.benchmarks.live import LiveSegment, LiveStream
from avalanche_emgd.training.live import check_live
from avalanche_emgd.training.methods import METHODS
from tests.training.common import quiet, toy_strategy, weights_of
from tests.training.scripted_streams import TEST, TRAIN, scripted, train


@pytest.mark.parametrize(
    ("name", "scenario"),
    # Weightings see no scenario: one of them is enough.
    [
        (name, scenario)
        for name, method in METHODS.items()
        for scenario in ("class", "task")
        if name != "joint"
        and (scenario == "class" or method.family != "weighting" or name == "db-mtl")
    ],
)
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


def test_a_task_ends_though_another_one_fails_at_the_same_tick():
    """Tests of both at their own ends, and their places in the memory, outlast the error."""

    def broken():
        yield from list(TRAIN[1])[:12]
        raise OSError("the camera is gone")

    stream = LiveStream(batch_size=4, max_wait=60.0)
    stream.add_task(list(TRAIN[0])[:12], name="first", classes=range(6), test=TEST[0])
    stream.add_task(broken(), name="second", classes=range(6), test=TEST[1])
    (metrics,) = live_metrics(stream)
    strategy = toy_strategy(memory_size=8, evaluator=quiet(metrics))
    with pytest.raises(RuntimeError, match="'second' cannot be used: the camera is gone"):
        strategy.train(stream)
    assert stream.tick == 3
    stream.close()
    strategy.train(stream)
    assert set(metrics.at_end) == {"first", "second"}
    assert strategy.memory.tasks == ["first", "second"]


def test_a_task_whose_data_failed_returns():
    def broken():
        yield from list(TRAIN[1])[:12]
        raise OSError("the camera is gone")

    stream = LiveStream(batch_size=4, max_wait=60.0)
    stream.add_task(broken(), name="second", classes=range(6), test=TEST[1])
    (metrics,) = live_metrics(stream)
    strategy = toy_strategy(memory_size=8, evaluator=quiet(metrics))
    with pytest.raises(RuntimeError, match="the camera is gone"):
        strategy.train(stream)
    stream.add_task(list(TRAIN[1])[12:24], name="second", classes=range(6))
    stream.close()
    strategy.train(stream)
    (task,) = stream.tasks
    assert (task.rounds, task.ticks, task.samples) == (2, 6, 24)
    assert metrics.at_end["second"] == metrics.final["second"]
    assert len(strategy.memory) == 8
