"""What the processes of a pool run. Without a launcher, each is a run of one process."""

import os

import torch
from avalanche.core import SupervisedPlugin

from avalanche_emgd import MLP, EMGDStrategy, MultiGradientTemplate, Timeline
from avalanche_emgd.gradients import FusedEngine, PlainEngine
from tests.toy import toy_benchmark
from tests.training.common import quiet, weights_of

ENGINES = {"plain": PlainEngine, "fused": FusedEngine, "lean": lambda: FusedEngine(lean=True)}
AT = (1, 10, 100)  # ticks after which updates are compared


class Record(SupervisedPlugin):
    """Keeps the update and the weights after some ticks."""

    def __init__(self):
        super().__init__()
        self.updates, self.weights, self.losses = [], [], []

    def after_update(self, strategy, **kwargs):
        self.losses.append(strategy.objective_losses.tolist())
        if len(self.losses) in AT:
            self.updates.append(strategy.space.update.clone())
            self.weights.append(weights_of(strategy.model))


def stream(scenario="class", dtype=torch.float32, sizes=(258, 130, 250, 148), batch_size=5):
    """Four tasks of 52, 26, 50 and 30 ticks, two at a time, in 100 ticks without a gap."""
    lengths = [-(-size // batch_size) for size in sizes]
    starts = (0, 0, 22, 70)
    spans = tuple((s, s + n - 1) for s, n in zip(starts, lengths, strict=True))
    return toy_benchmark(sizes, batch_size, Timeline(spans), scenario, dtype)


def train(
    scenario="class", dtype=torch.float32, engine="fused", distributed=None, weighting=None,
    model=None, benchmark=None, **options,
):
    """Train on the stream and return what is compared."""
    torch.manual_seed(0)
    with default_dtype(dtype):
        benchmark = stream(scenario, dtype) if benchmark is None else benchmark()
        net = MLP(8, in_features=5, hidden=(16, 8)) if model is None else model()
        record = Record()
        chosen = dict(
            optimizer=torch.optim.SGD(net.parameters(), lr=0.05),
            memory_size=24, engine=ENGINES[engine](), evaluator=quiet(), plugins=[record],
            distributed=distributed if "WORLD_SIZE" in os.environ else None,
        ) | options
        if weighting is None:
            strategy = EMGDStrategy(net, **chosen)
        else:
            strategy = MultiGradientTemplate(net, weighting=weighting(), **chosen)
        strategy.train(benchmark.train_stream)
    return {
        "updates": record.updates, "weights": record.weights, "losses": record.losses,
        "state": {name: value.clone() for name, value in net.state_dict().items()},
    }


class default_dtype:
    def __init__(self, dtype):
        self.dtype = dtype

    def __enter__(self):
        self.before = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)

    def __exit__(self, *error):
        torch.set_default_dtype(self.before)
