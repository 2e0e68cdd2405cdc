"""User-defined data and a model for token ids, for tests."""

import numpy as np
import torch
from PIL import Image
from torch import nn

from tests.tolerance import assert_near


def make_folders(root, train=("a", "b", "c", "d"), test=("a", "b", "c", "d"), per_class=6):
    generator = np.random.default_rng(0)
    for part, classes in (("train", train), ("test", test)):
        for name in classes:
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(per_class):
                pixels = generator.integers(0, 256, (5, 7, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    return root


def assert_centred(x):
    """Check that the channels of ``[B, C, H, W]`` have mean zero, up to rounding."""
    assert_near(x.mean((0, 2, 3)), torch.zeros(x.shape[1]), x[:, 0].numel(), least=1.0)


class Bag(nn.Module):
    """Linear classifier of the mean of embedded tokens."""

    def __init__(self, rows=20):
        super().__init__()
        self.embedding, self.classifier = nn.Embedding(rows, 8), nn.Linear(8, 4)

    def forward(self, x):
        return self.classifier(self.embedding(x).mean(dim=1))


def loaded(benchmark):
    """Load all training samples, in order of their numbers."""
    parts = [
        experience.load(deliveries)
        for experience in benchmark.train_stream
        for deliveries in experience.deliveries
    ]
    return [torch.cat(tensors) for tensors in zip(*parts, strict=True)]
