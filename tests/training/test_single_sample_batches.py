"""Minibatches of a single sample with batch norm are refused before training, or trained."""

import pytest
import torch
from avalanche.benchmarks import nc_benchmark, split_online_stream
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import ResNet18, Timeline, parallel_benchmark
from avalanche_emgd.training.peers import JointStrategy
from avalanche_emgd.training.single_sample_batches import fails_on_single_samples
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy, weights_of
from tests.training.test_recurring_classes import data
from tests.training.test_tick_template import serial_benchmark


def normalised():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 6))


def normalised_images():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 4)
    )


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"memory_size": 1}, "it holds one sample: give `memory_size`, at least 2"),
        ({"memory_size": 12, "train_mb_size": 1}, "give `train_mb_size`, at least 2"),
        (
            {"memory_size": 12, "train_mb_size": 1, "memory_objectives": "per-task"},
            "give `train_mb_size`, at least 2",
        ),
    ],
)
def test_a_lone_replayed_sample_is_refused_before_any_work(options, remedy):
    strategy = toy_strategy(model=normalised(), **options)
    before = weights_of(strategy.model).clone()
    with pytest.raises(ValueError, match=f"`model` has batch norm.*replay memory.*{remedy}"):
        strategy.train(toy_benchmark((20, 14, 16)).train_stream)
    assert torch.equal(weights_of(strategy.model), before)
    assert strategy.clock.train_iterations == 0
    # The same model without batch norm trains.
    toy_strategy(**options).train(toy_benchmark((20, 14, 16)).train_stream)


@settings(max_examples=40)
@given(
    st.lists(st.integers(2, 4), min_size=2, max_size=4),
    st.integers(1, 14),
    st.integers(1, 8),
    st.sampled_from(["one", "per-task"]),
    st.integers(0, 5),
)
def test_runs_are_refused_at_the_start_or_end_normally(
    lengths, memory_size, drawn, objectives, seed
):
    """No run fails halfway."""
    benchmark = toy_benchmark(
        tuple(4 * length for length in lengths), timeline=Timeline.random(lengths, seed)
    )
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 2 * len(lengths)))
    strategy = toy_strategy(
        model=model, memory_size=memory_size, train_mb_size=drawn, memory_objectives=objectives
    )
    try:
        strategy.train(benchmark.train_stream)
    except ValueError as error:
        assert "`model` has batch norm" in str(error)  # noqa: PT017
        assert strategy.clock.train_iterations == 0
    else:
        assert strategy.clock.train_iterations == benchmark.timeline.num_ticks


@pytest.mark.parametrize("memory_size", [3, 12])
def test_finished_tasks_with_few_samples_share_one_batch(memory_size):
    strategy = toy_strategy(
        model=normalised(), memory_size=memory_size, train_mb_size=3, memory_objectives="per-task"
    )
    for _ in range(2):
        strategy.train(toy_benchmark((20, 14, 16)).train_stream)
    assert any(len(positions) == 1 for positions in strategy.replay.drawn.values())


@pytest.mark.parametrize(
    "options",
    [
        {"train_mb_size": 59},
        {"train_mb_size": 20, "memory_size": 1},
        {"train_mb_size": 1, "memory_size": 12},
        {"train_mb_size": 1, "memory_size": 12, "memory_objectives": "per-task"},
    ],
)
@pytest.mark.parametrize("task_labels", [False, True])
def test_ordinary_streams(options, task_labels):
    """The benchmark has three experiences of 60 samples."""
    strategy = toy_strategy(model=normalised(), **{"memory_size": 0, **options})
    with pytest.raises(ValueError, match="`model` has batch norm"):
        strategy.train(serial_benchmark(task_labels).train_stream)
    assert strategy.clock.train_iterations == 0


def test_ordinary_streams_that_fit():
    for kind in (toy_strategy.__defaults__[0], JointStrategy):
        strategy = toy_strategy(kind, model=normalised(), memory_size=12, train_mb_size=20)
        strategy.train(serial_benchmark().train_stream)
    # Joint training has one minibatch after the other of all 180 samples, and 180 = 3 × 59 + 3.
    strategy = toy_strategy(JointStrategy, model=normalised(), train_mb_size=59)
    strategy.train(serial_benchmark().train_stream)


def test_a_lazy_stream_is_refused_at_the_experience():
    whole = nc_benchmark(data(22), data(40), n_experiences=1, task_labels=False)
    strategy = toy_strategy(model=normalised(), memory_size=0, train_mb_size=10)
    *whole_ones, last = split_online_stream(whole.train_stream, experience_size=7)
    for experience in whole_ones:
        strategy.train(experience)
    with pytest.raises(ValueError, match="the last of 1 samples comes alone"):
        strategy.train(last)


@pytest.mark.parametrize("make", [normalised_images, lambda: ResNet18(4, in_channels=1, width=8)])
def test_pixels_of_one_image_have_a_variance(make):
    generator = torch.Generator().manual_seed(0)
    size = 6 if make is normalised_images else 32
    sets = [
        TensorDataset(
            torch.rand(8, 1, size, size, generator=generator), 2 * task + torch.arange(8) % 2
        )
        for task in range(2)
    ]
    benchmark = parallel_benchmark(sets, sets, Timeline.serial([2, 2]), batch_size=4)
    strategy = toy_strategy(model=make(), memory_size=4, train_mb_size=1)
    strategy.train(benchmark.train_stream)
    assert len(strategy.memory) == 4


def test_the_trial_of_a_model_does_not_change_it():
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 6))
    model[2].eval()
    dataset = toy_benchmark().train_stream[0].dataset
    before = [t.clone() for t in (*model.parameters(), *model.buffers())]
    state = torch.get_rng_state()
    assert fails_on_single_samples(model, dataset, torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, before, (*model.parameters(), *model.buffers())))
    assert [m.training for m in model] == [True, True, False, True]
    assert not fails_on_single_samples(nn.Linear(5, 6), dataset, torch.device("cpu"))
