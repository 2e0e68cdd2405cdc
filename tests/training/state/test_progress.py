import torch

from avalanche_emgd.training.state.progress import Progress, number_of
from tests.training.common import toy_model, toy_strategy, weights_of
from tests.training.state.common import Saved, as_file, from_file
from tests.training.state.interrupted import train_stream


def test_two_passes_over_a_stream():
    saved = Saved()
    whole = toy_strategy(memory_size=12, plugins=[saved])
    whole.train(train_stream())
    whole.train(train_stream())
    rest = toy_strategy(memory_size=12, plugins=[Saved([])])
    rest.load_state_dict(from_file(saved.files[len(saved.files) // 2 + 3]))
    rest.train(train_stream())
    assert torch.equal(weights_of(rest.model), weights_of(whole.model))


def test_a_finished_run_is_not_trained_again():
    strategy = toy_strategy(memory_size=12)
    strategy.train(train_stream())
    rest = toy_strategy(memory_size=12, model=toy_model(seed=3))
    rest.load_state_dict(strategy.state_dict())
    rest.train(train_stream())
    assert torch.equal(weights_of(rest.model), weights_of(strategy.model))


def test_only_what_was_done_before_a_state_is_left_out():
    stream, progress = train_stream(), Progress()
    for experience in stream[:2]:
        progress.begin(experience)
        progress.finish()
    progress.begin(stream[2])
    assert (progress.done, progress.current) == ([0, 1], 2)
    assert not any(map(progress.is_done, stream))  # the same process may repeat an experience
    other = Progress()
    other.load_state_dict(from_file(as_file(progress.state_dict())))
    assert [other.is_done(each) for each in stream] == [True, True, False, False, False]
    assert not any(map(other.is_done, train_stream(batch_size=5)))  # of another benchmark
    other.begin(stream[2])
    assert not any(map(other.is_done, stream))


def test_a_pass_begins_with_an_experience_that_is_done():
    stream, progress = train_stream(), Progress()
    for number in (0, 1, 0):
        progress.begin(stream[number])
        progress.finish()
    assert progress.done == [0]
    progress.begin(train_stream(batch_size=5)[3])
    assert progress.done == []


def test_experiences_without_a_number():
    assert number_of(object()) == -1
