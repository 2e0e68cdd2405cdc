from functools import partial

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import EMGDStrategy, Timeline, parallel_benchmark
from avalanche_emgd.training.peers import GradDropStrategy, ICaRLStrategy
from avalanche_emgd.training.plugins import AugmentationPlugin
from tests.training.common import quiet, toy_strategy


def test_replay_is_augmented_and_memory_is_not():
    data = [
        TensorDataset(torch.randn(8, 1, 4, 4), 2 * task + torch.arange(8) % 2) for task in range(2)
    ]
    before = [d.tensors[0].clone() for d in data]
    benchmark = parallel_benchmark(data, data, Timeline(((0, 1), (2, 3))), batch_size=4)
    stored = {tuple(x.flatten().tolist()) for d in data for x in d.tensors[0]}
    seen = []

    class Look(AugmentationPlugin):
        def before_forward(self, strategy, *args, **kwargs):
            super().before_forward(strategy, *args, **kwargs)
            seen.append((strategy.mb_x.clone(), list(strategy.mbatch.parts)))

    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4))
    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        memory_size=4,
        memory_editing={"step": 0.01},
        plugins=[Look()],
        evaluator=quiet(),
    )
    strategy.train(benchmark.train_stream)
    replayed = torch.cat([x[p.start : p.stop] for x, parts in seen for p in parts if p.replayed])
    assert len(replayed)
    assert sum(tuple(x.flatten().tolist()) in stored for x in replayed) < len(replayed)
    originals = strategy.memory_editing.originals
    assert all(tuple(x.flatten().tolist()) in stored for x in originals)
    assert all(torch.equal(d.tensors[0], b) for d, b in zip(data, before, strict=True))


def images_of(strategy):
    """Images that a strategy keeps, of finished and of active tasks."""
    if isinstance(strategy, ICaRLStrategy):
        return strategy._exemplars()[0]
    return strategy.memory.kept()[0]


@pytest.mark.parametrize(
    "make", [partial(EMGDStrategy, memory_selection="gss"), ICaRLStrategy], ids=["gss", "icarl"]
)
def test_samples_of_a_tick_are_kept_as_they_were_delivered(make):
    data = [
        TensorDataset(torch.randn(12, 1, 4, 4), 2 * task + torch.arange(12) % 2)
        for task in range(2)
    ]
    benchmark = parallel_benchmark(data, data, Timeline(((0, 2), (1, 3))), batch_size=4)
    delivered = {tuple(x.flatten().tolist()) for d in data for x in d.tensors[0]}
    seen = []

    class Look(SupervisedPlugin):
        def after_training_iteration(self, strategy, *args, **kwargs):
            seen.append(images_of(strategy))

    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4))
    strategy = make(
        model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        memory_size=8,
        plugins=[AugmentationPlugin(), Look()],
        evaluator=quiet(),
    )
    strategy.train(benchmark.train_stream)
    images = torch.cat([*seen, images_of(strategy)])
    assert len(images) >= 16
    assert all(tuple(x.flatten().tolist()) in delivered for x in images)


def test_wrong_use():
    with pytest.raises(ValueError, match="`padding` must be a whole number, at least 0, found -1"):
        AugmentationPlugin(-1)
    with pytest.raises(
        ValueError, match=r"for images \[b, C, H, W\], found inputs of shape \(5,\)"
    ):
        AugmentationPlugin().augment(torch.zeros(2, 5))
    with pytest.raises(ValueError, match="GradDrop has none"):
        toy_strategy(GradDropStrategy, memory_size=4, memory_editing="distance")
