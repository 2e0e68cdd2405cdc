"""The plugin that writes checkpoints."""

import os
import signal

import pytest
import torch

from avalanche_emgd import CheckpointPlugin, load_checkpoint
from avalanche_emgd.training import TrainingStopped
from avalanche_emgd.training.plugins import MultiGradientPlugin
from avalanche_emgd.training.state import StateError
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of


def made(plugin, seed=0, **options):
    return toy_strategy(
        model=toy_model(seed=seed), memory_size=12, plugins=[plugin, *options.pop("plugins", [])]
    )


class Signalling(MultiGradientPlugin):
    def __init__(self, tick, kind):
        super().__init__()
        self.at, self.kind = tick, kind

    def before_backward(self, strategy, *args, **kwargs):
        if strategy.tick == self.at:
            os.kill(os.getpid(), self.kind)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def test_checkpoints_come_every_few_ticks_and_at_the_end(tmp_path):
    path = tmp_path / "folder" / "run.pt"
    plugin = CheckpointPlugin(path, every=4)
    seen = []

    class Looking(MultiGradientPlugin):
        def after_tick(self, strategy, *args, **kwargs):
            if path.exists():
                clock = load_checkpoint(path)["plugins"]["Clock 1"]["attributes"]
                seen.append(clock["train_iterations"])

    strategy = made(plugin, plugins=[Looking()])
    strategy.train(toy_benchmark().train_stream)
    assert seen == [4, 4, 4, 4, 8, 8, 8][: len(seen)]
    assert len(seen) >= 5
    rest = made(CheckpointPlugin(path), seed=1, plugins=[Looking()])
    assert CheckpointPlugin(path).restore(rest)
    assert torch.equal(weights_of(rest.model), weights_of(strategy.model))


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_with_a_checkpoint(kind, tmp_path):
    whole = made(CheckpointPlugin(tmp_path / "whole.pt"))
    whole.train(toy_benchmark().train_stream)
    plugin = CheckpointPlugin(tmp_path / "run.pt")
    strategy = made(plugin, plugins=[Signalling(5, kind)])
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stops = pytest.raises(TrainingStopped, match=r"Checkpoint: .*run\.pt")
    with stops as caught, plugin.stopping():
        strategy.train(toy_benchmark().train_stream)
    assert caught.value.number == kind
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    rest = made(plugin, seed=1)
    assert plugin.restore(rest)
    assert rest.clock.train_iterations == 6
    rest.train(toy_benchmark().train_stream)
    assert torch.equal(weights_of(rest.model), weights_of(whole.model))


def test_the_second_signal_ends_at_once(tmp_path):
    plugin = CheckpointPlugin(tmp_path / "run.pt")
    twice = [Signalling(5, signal.SIGINT), Signalling(5, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), plugin.stopping():
        made(plugin, plugins=twice).train(toy_benchmark().train_stream)
    assert not plugin.path.exists()


def test_without_a_checkpoint_there_is_nothing_to_restore(tmp_path):
    plugin = CheckpointPlugin(tmp_path / "run.pt")
    assert not plugin.restore(made(plugin))


def test_training_on_a_part_of_a_stream_goes_on_with_the_rest(tmp_path):
    benchmark = toy_benchmark()
    plugin = CheckpointPlugin(tmp_path / "run.pt")
    strategy = made(plugin)
    strategy.train(benchmark.train_stream[:3])
    rest = made(plugin, seed=1)
    plugin.restore(rest)
    rest.train(benchmark.train_stream)
    assert len(rest.memory.tasks) == 3


def test_wrong_arguments_are_refused(tmp_path):
    for wrong in (0, -1, 1.5, True, "many"):
        with pytest.raises(ValueError, match="`every` must be a whole number, at least 1"):
            CheckpointPlugin(tmp_path / "run.pt", every=wrong)
    with pytest.raises(ValueError, match="is a folder"):
        CheckpointPlugin(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="no folder that can be made"):
        CheckpointPlugin(tmp_path / "file" / "run.pt")
    (tmp_path / "run.pt").write_text("what?")
    with pytest.raises(StateError, match=r"`checkpoint` '.*run\.pt' cannot be loaded"):
        CheckpointPlugin(tmp_path / "run.pt").restore(made(CheckpointPlugin(tmp_path / "a.pt")))


def test_a_folder_that_vanishes_is_one_line(tmp_path):
    plugin = CheckpointPlugin(tmp_path / "folder" / "run.pt", every=2)
    (tmp_path / "folder").rmdir()
    with pytest.raises(ValueError, match=r"run\.pt' cannot be written: No such file"):
        made(plugin).train(toy_benchmark().train_stream)


@pytest.mark.parametrize("path", [3, None, "a\0b", "q" * 300 + ".pt"])
def test_what_is_no_path_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^`path` "):
        CheckpointPlugin(path)
