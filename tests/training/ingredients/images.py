"""Streams of small images, strategies with augmentation, and a look at the inputs of each tick."""

import torch
from avalanche.core import SupervisedPlugin
from torch.utils.data import TensorDataset

from avalanche_emgd import MLP, EMGDStrategy, Timeline, parallel_benchmark
from avalanche_emgd.training.ingredients import GSS
from tests.training.common import toy_strategy

SPANS = ((0, 4), (2, 6), (6, 10))
SMALL = {"padding": 2}
EVERYTHING = {
    "memory_augmentation": SMALL,
    "memory_objectives": "per-task",
    "memory_loss": "stored-logits",
    "memory_retrieval": "mir",
    "memory_selection": GSS(3),
    "memory_editing": "distance",
    "competition": 0.5,
    "tested_weights": "average",
}


def data_of(shape=(1, 8, 8), size=20):
    generator = torch.Generator().manual_seed(0)
    return [
        TensorDataset(
            torch.randn(size, *shape, generator=generator), 2 * task + torch.arange(size) % 2
        )
        for task in range(3)
    ]


def images(scenario="class", shape=(1, 8, 8)):
    sets = data_of(shape)
    return parallel_benchmark(sets, sets, Timeline(SPANS), batch_size=4, scenario=scenario)


def image_model():
    torch.manual_seed(0)
    return MLP(6, in_features=64, hidden=(16, 8))


def of_images(kind=EMGDStrategy, **options):
    options = {"memory_size": 12, "lr": 0.01, **options}
    return toy_strategy(kind, image_model(), **options)


class Look(SupervisedPlugin):
    """Keeps the inputs of each tick, and the stored images of its replay."""

    def __init__(self):
        super().__init__()
        self.incoming, self.replayed, self.stored, self.tested = [], [], [], []

    def before_forward(self, strategy, **kwargs):
        for part in strategy.mbatch.parts:
            x = strategy.mb_x[part.start : part.stop].clone()
            (self.replayed if part.replayed else self.incoming).extend(x)
            if part.replayed:
                positions = strategy.replay.drawn[part.objective]
                self.stored.extend(strategy.memory.inputs[positions].clone())

    def before_eval_forward(self, strategy, **kwargs):
        self.tested.extend(strategy.mb_x.clone())


def bytes_of(images):
    return {image.numpy().tobytes() for image in images}
