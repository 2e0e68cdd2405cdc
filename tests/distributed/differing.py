"""Trainings of processes that differ in one thing."""

import os

import torch
from avalanche.training.plugins import EWCPlugin
from torch import nn

from avalanche_emgd import EMGDStrategy, MultiGradientTemplate, Timeline, parallel_benchmark
from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.distributed.cases import message_of, noisy
from tests.distributed.networks import mlp
from tests.distributed.plugins import is_last
from tests.distributed.streams import stream_of
from tests.toy import toy_datasets
from tests.training.common import quiet


def _differing(what, rank):
    """Strategy and stream that differ between processes in one thing."""
    name = "serial" if what == "stream" and rank else "short"
    benchmark = stream_of(name, "class", torch.float32)
    if what == "order":
        data = toy_datasets((46, 27))
        spans = Timeline(((0, 9), (0, 5)))
        benchmark = parallel_benchmark(data, data, spans, batch_size=5, seed=rank)
    if what == "scenario" and rank:
        benchmark = stream_of("short", "task", torch.float32)
    options = {"memory_size": 24, "distributed": "auto"}
    if what == "memory":
        options["seed"] = rank
    if what == "augmentation" and rank:
        options["memory_augmentation"] = noisy
    if what == "placement":
        # At the first tick, with one objective, both cut it into equal parts.
        options["distributed"] = ("auto", "even")[rank]
    if what == "plugins":
        options["plugins"] = [EWCPlugin(0.4 + rank)]
    if what == "at the end":
        options["plugins"] = [Drifting()]
    net = mlp()
    if what in ("layer", "setting"):
        layer = (nn.Tanh, nn.ReLU)[rank]() if what == "layer" else nn.Dropout(0.1 * (1 + rank))
        net = nn.Sequential(nn.Linear(5, 16), layer, nn.Linear(16, 8))
    if what == "frozen":
        next(net.parameters()).requires_grad_(rank == 0)
    if what == "shared":
        options["shared"] = list(net.parameters())[: 2 + rank]
    rate = 0.05 * (1 + rank) if what == "rate" else 0.05
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    if what == "optimizer" and rank:
        optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    if what != "weighting":
        return EMGDStrategy(net, optimizer=optimizer, evaluator=quiet(), **options), benchmark
    weighting = ERWeighting() if rank else EMGDWeighting("gmc")
    made = MultiGradientTemplate(
        net, weighting=weighting, optimizer=optimizer, evaluator=quiet(), **options
    )
    return made, benchmark


class Drifting(MultiGradientPlugin):
    """Moves a parameter of the last process after the last tick."""

    def after_training(self, strategy, **kwargs):
        if is_last():
            next(strategy.model.parameters()).data.add_(1.0)


def differ(what):
    """Train two processes that differ in one thing; return the error."""
    strategy, benchmark = _differing(what, int(os.environ["RANK"]))
    return message_of(lambda: strategy.train(benchmark.train_stream, eval_streams=[]))
