import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import EMGDStrategy, Timeline, parallel_benchmark
from avalanche_emgd.training.peers import GradDropStrategy
from avalanche_emgd.training.plugins import AugmentationPlugin
from tests.training.common import quiet, toy_strategy

IMAGES = torch.arange(1.0, 1 + 6 * 2 * 4 * 5).view(6, 2, 4, 5)


def crops_of(image, padding):
    """Return all possible crops of an image."""
    padded = nn.functional.pad(image, 4 * [padding])
    height, width = image.shape[1:]
    for flipped in (False, True):
        for top in range(2 * padding + 1):
            for left in range(2 * padding + 1):
                crop = padded[:, top : top + height, left : left + width]
                yield (flipped, top, left), crop.flip(2) if flipped else crop


def test_each_image_becomes_one_of_its_crops_and_all_occur():
    plugin = AugmentationPlugin(padding=1)
    seen = [set() for _ in IMAGES]
    for _ in range(400):
        for found, result, image in zip(seen, plugin.augment(IMAGES), IMAGES, strict=True):
            (kind,) = [kind for kind, crop in crops_of(image, 1) if torch.equal(crop, result)]
            found.add(kind)
    assert all(len(found) == 18 for found in seen)


def test_without_flips_and_without_padding():
    assert torch.equal(AugmentationPlugin(0, flip=False).augment(IMAGES), IMAGES)
    mirrored = AugmentationPlugin(0).augment(IMAGES)
    same = [torch.equal(a, b) for a, b in zip(mirrored, IMAGES, strict=True)]
    assert {True, False} == set(same)


def test_continues_from_its_state(tmp_path):
    plugin = AugmentationPlugin(2, seed=5)
    plugin.augment(IMAGES)
    torch.save(plugin.state_dict(), tmp_path / "state.pt")
    expected = plugin.augment(IMAGES)
    other = AugmentationPlugin(2)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(other.augment(IMAGES), expected)


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


def test_wrong_use():
    with pytest.raises(ValueError, match="`padding` must be a whole number, at least 0, found -1"):
        AugmentationPlugin(-1)
    with pytest.raises(
        ValueError, match=r"for images \[b, C, H, W\], found inputs of shape \(5,\)"
    ):
        AugmentationPlugin().augment(torch.zeros(2, 5))
    with pytest.raises(ValueError, match="GradDrop has none"):
        toy_strategy(GradDropStrategy, memory_size=4, memory_editing="distance")
