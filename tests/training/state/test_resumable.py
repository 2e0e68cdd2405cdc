import copy

import pytest
import torch

from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of
from tests.training.state.common import Saved, as_file, from_file
from tests.training.state.interrupted import interrupted, serial_stream, train_stream


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("stream", [train_stream, serial_stream])
def test_several_epochs_of_both_kinds_of_streams(epochs, stream):
    def make(plugins):
        return toy_strategy(
            memory_size=12, train_epochs=epochs, plugins=plugins, train_mb_size=4, lr=0.01
        )

    interrupted(make, stream, ticks=[0, 1, 5, 7, -2, -1])


def test_one_experience_at_a_time():
    saved = Saved()
    whole = toy_strategy(memory_size=12, plugins=[saved])
    for experience in train_stream():
        whole.train(experience)
    for content in saved.files[::3]:
        rest = toy_strategy(memory_size=12, plugins=[Saved([])], model=toy_model(seed=3))
        rest.load_state_dict(from_file(content))
        for experience in train_stream():
            rest.train(experience)
        assert torch.equal(weights_of(rest.model), weights_of(whole.model))


@pytest.mark.parametrize("rest_only", [False, True])
def test_between_two_experiences(rest_only):
    whole, half = (toy_strategy(memory_size=12) for _ in range(2))
    whole.train(train_stream())
    half.train(train_stream()[:3])
    state = from_file(as_file(half.state_dict()))
    rest = toy_strategy(memory_size=12, model=toy_model(seed=3))
    rest.load_state_dict(state)
    rest.train(train_stream()[3:] if rest_only else train_stream())
    assert torch.equal(weights_of(rest.model), weights_of(whole.model))


def test_generated_streams():
    def stream():
        return (each for each in toy_benchmark().train_stream)

    def make(plugins):
        return toy_strategy(memory_size=12, plugins=plugins)

    interrupted(make, stream, ticks=[1, 5, -1], eval_streams=[])


class Asking(MultiGradientPlugin):
    def after_training_iteration(self, strategy, *args, **kwargs):
        strategy.state_dict()


def test_the_middle_of_a_tick_is_refused():
    strategy = toy_strategy(memory_size=12, plugins=[Asking()])
    with pytest.raises(RuntimeError, match="`state_dict\\(\\)` is for the time between two ticks"):
        strategy.train(train_stream())


def test_other_streams_are_refused():
    saved = Saved()
    toy_strategy(memory_size=12, plugins=[saved]).train(train_stream())
    for stream in (train_stream(batch_size=5), train_stream()[4:], serial_stream()):
        rest = toy_strategy(memory_size=12, plugins=[Saved([])])
        rest.load_state_dict(from_file(saved.files[3]))
        with pytest.raises(ValueError, match="`experiences` must contain the experience"):
            rest.train(stream)


def test_what_is_changed_after_loading_counts():
    stream, saved = toy_benchmark().train_stream, Saved()
    toy_strategy(memory_size=12, plugins=[saved]).train(stream)
    state = from_file(saved.files[4])
    strategy, same, copied = (toy_strategy(memory_size=12, plugins=[Saved([])]) for _ in range(3))
    for each in (strategy, same, copied):
        each.load_state_dict(state)
    strategy.optimizer.param_groups[0]["lr"] = 0.0
    before = weights_of(strategy.model).clone()
    strategy.train(stream)
    assert strategy.optimizer.param_groups[0]["lr"] == 0.0
    assert torch.equal(weights_of(strategy.model), before)
    same.train(stream)
    copied = copy.deepcopy(copied)  # continues at the same tick
    copied.train(stream)
    assert copied.clock.train_iterations == same.clock.train_iterations
    assert torch.equal(weights_of(copied.model), weights_of(same.model))
