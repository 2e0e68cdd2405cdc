"""Live streams whose tasks come at given ticks, and training on them."""

import torch
from avalanche.core import SupervisedPlugin

from avalanche_emgd import MLP, live_metrics
from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.training.methods import make_method
from tests.toy import toy_datasets
from tests.training.common import quiet

TRAIN = toy_datasets([60, 48, 52])
TEST = toy_datasets([40, 40, 40], seed=0)


class Script(SupervisedPlugin):
    """Adds tasks at given ticks, from a callback, and closes the stream after the last one.

    :param additions: keyword arguments of ``add_task`` at each tick.
    """

    def __init__(self, stream, additions):
        super().__init__()
        self.stream, self.additions = stream, dict(additions)
        self.segments = []

    def after_training_iteration(self, strategy, **kwargs):
        for arguments in self.additions.pop(strategy.tick, ()):
            self.stream.add_task(**arguments)
        if not self.additions:
            self.stream.close()

    def before_training_exp(self, strategy, **kwargs):
        self.segments.append((strategy.experience, strategy.clock.train_iterations))


def scripted(scenario="class", batch_size=4):
    """Make a stream whose second and third task come later, and whose first task returns."""
    stream = LiveStream(scenario=scenario, batch_size=batch_size, max_wait=60.0)
    stream.add_task(TRAIN[0], name="first", test=TEST[0])
    script = Script(
        stream,
        {
            4: [{"data": iter(list(TRAIN[1])), "name": "second", "test": TEST[1]}],
            9: [{"data": list(TRAIN[2]), "classes": [4, 5], "name": "third", "test": TEST[2]}],
            17: [{"data": TRAIN[0], "name": "first"}],
        },
    )
    return stream, script


def train(name, scenario="class", memory_size=12, lr=0.03, model=None):
    stream, script = scripted(scenario)
    torch.manual_seed(0)
    model = MLP(1, in_features=5, hidden=(16, 8)) if model is None else model
    (metrics,) = live_metrics(stream)
    strategy = make_method(
        name,
        model,
        {},
        optimizer=torch.optim.Adam(model.parameters(), lr=lr),
        memory_size=memory_size,
        seed=0,
        device="cpu",
        plugins=[script],
        evaluator=quiet(metrics),
    )
    torch.manual_seed(1)
    strategy.train(stream)
    return strategy, stream, script, metrics
