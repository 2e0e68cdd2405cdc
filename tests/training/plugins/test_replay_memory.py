import pytest
import torch

from avalanche_emgd import ReplayMemory
from avalanche_emgd.training.plugins import MultiGradientPlugin, ReplayMemoryPlugin
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy
from tests.training.recorder import Recorder


def test_memory_minibatch_has_the_size_of_a_tasks_by_default():
    for option, size in ((None, 4), (3, 3)):
        recorder = Recorder()
        strategy = toy_strategy(memory_size=30, train_mb_size=option, plugins=[recorder])
        strategy.train(toy_benchmark().train_stream)
        assert {r["sizes"][-1] for r in recorder.ticks if r["objectives"][-1] == "memory"} == {size}
        assert recorder.ticks[0]["sizes"] == [4]  # the benchmark's size, for any option


def test_one_objective_per_finished_task():
    recorder = Recorder()
    strategy = toy_strategy(memory_size=12, memory_objectives="per-task", plugins=[recorder])
    strategy.train(toy_benchmark().train_stream)
    assert recorder.ticks[-1]["objectives"] == ["task2", "memory-task0", "memory-task1"]
    assert recorder.ticks[-1]["sizes"][1:] == [2, 2]


def test_what_is_replayed_is_in_the_memory():
    class Check(MultiGradientPlugin):
        ticks = 0

        def before_weighting(self, strategy, **kwargs):
            for part in strategy.mbatch.parts:
                assert part.replayed == (part.objective in strategy.replay.drawn)
                if part.replayed:
                    at = strategy.replay.drawn[part.objective]
                    x, y, t = (each[part.start : part.stop] for each in strategy.mbatch[:3])
                    found = strategy.memory.take(at)
                    assert all(map(torch.equal, (x, y, t), found))
                    self.ticks += 1

    for objectives in ("one", "per-task"):
        check = Check()
        toy_strategy(memory_size=12, memory_objectives=objectives, plugins=[check]).train(
            toy_benchmark().train_stream
        )
        assert check.ticks > 0


def test_unknown_objectives():
    with pytest.raises(ValueError, match="`memory_objectives` must be 'one' or 'per-task', found"):
        ReplayMemoryPlugin(ReplayMemory(3), "all")
