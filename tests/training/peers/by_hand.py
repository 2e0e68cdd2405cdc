"""Simple reference computations for the strategies, and plugins that record their ticks."""

import copy
from collections import Counter

import torch
from avalanche.benchmarks import class_incremental_benchmark
from avalanche.benchmarks.utils import as_classification_dataset
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.tolerance import assert_near
from tests.toy import toy_benchmark, toy_datasets
from tests.training.common import TERMS, replay_strategy, toy_strategy, weights_of


class Each(MultiGradientPlugin):
    """Plugin that calls a function with the strategy at one callback, and counts the calls."""

    def __init__(self, callback, act):
        super().__init__()
        self.calls = 0

        def call(strategy, *args, **kwargs):
            self.calls += 1
            act(strategy)

        setattr(self, callback, call)


class CheckLosses(MultiGradientPlugin):
    """Compares the loss of each objective at each tick with ``expected(strategy, part, x, y, t)``.

    The model is as it was when the losses were computed.
    """

    def __init__(self, expected):
        super().__init__()
        self.expected = expected
        self.checked = Counter()

    def before_backward(self, strategy, **kwargs):
        for part, loss in zip(strategy.mbatch.parts, strategy.objective_losses, strict=True):
            with torch.no_grad():
                expected = self.expected(strategy, part, *samples_of(strategy, part))
            assert_near(loss, expected.to(loss), TERMS, least=1.0)
            self.checked["replayed" if part.replayed else "active"] += 1


def samples_of(strategy, part):
    """Return ``x, y, t`` of one objective of the minibatch."""
    return [tensor[part.start : part.stop] for tensor in strategy.mbatch[:3]]


def competing(experience, task):
    """Return the classes that compete for samples of a task in an experience."""
    benchmark = experience.benchmark
    if benchmark.scenario == "task":
        return list(benchmark.label_sets[task])
    classes = []
    for labels, (first, _) in zip(benchmark.label_sets, benchmark.timeline.spans, strict=True):
        if first <= experience.ticks[-1]:
            classes += labels
    return classes


def cross_entropies(logits, y, classes):
    """Compute the cross-entropy of each sample, ``[n]``, over its own list of classes."""
    rows = zip(logits, y.tolist(), classes, strict=True)
    return torch.stack([row[allowed].logsumexp(0) - row[label] for row, label, allowed in rows])


def scenario_losses(model, samples, experience):
    """Compute the cross-entropy of each sample, ``[n]``, over the competing classes."""
    x, y, t = samples
    return cross_entropies(model(x), y, [competing(experience, task) for task in t.tolist()])


def flat_gradient(loss, parameters):
    gradients = torch.autograd.grad(loss, list(parameters))
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


def mean_gradient(model, batch, experience):
    """Compute the gradient of the mean loss of the objectives in a minibatch of the loader."""
    losses = [
        scenario_losses(model, [tensor[p.start : p.stop] for tensor in batch], experience).mean()
        for p in batch.parts
    ]
    return flat_gradient(sum(losses) / len(losses), model.parameters())


def set_gradients(model, gradient):
    for parameter in model.parameters():
        parameter.grad = gradient[: parameter.numel()].view_as(parameter).clone()
        gradient = gradient[parameter.numel() :]


def frozen(model):
    """Copy a model, in evaluation mode."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def dropping_model(bias=True):
    """Make a model with other outputs in training mode."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 6, bias=bias))


def trained(kind, benchmark, model=None, **options):
    """Return the weights at the end of the stream."""
    strategy = toy_strategy(kind, model, **options)
    strategy.train(benchmark.train_stream)
    return weights_of(strategy.model)


def ordinary_benchmark(num_experiences=2):
    """Make an ordinary Avalanche benchmark of four classes, two per experience."""
    datasets = toy_datasets((12, 12))
    x, y = (torch.cat([data.tensors[column] for data in datasets]) for column in (0, 1))
    data = TensorDataset(x, y)
    data.targets = y.tolist()
    return class_incremental_benchmark(
        {"train": as_classification_dataset(data)},
        num_experiences=num_experiences,
        class_order=[0, 1, 2, 3],
    )


def note_finished(then, strategy, experience):
    """Record, for each finished task, the model at its end and the competing classes."""
    for task in experience.finishing_tasks:
        then[task] = frozen(strategy.model), competing(experience, task)


def check_replayed_loss(memory_loss, distances, scenario, memory_objectives):
    """Check the losses of the memory's objectives against labels and distances by hand.

    :param memory_loss: loss with ``alpha`` and ``beta``.
    :param distances: function from present and former logits of the classes that competed for a
        sample to numbers. The mean is over all numbers of all samples.
    """
    then = {}

    def expected(strategy, part, x, y, t):
        labels = scenario_losses(strategy.model, (x, y, t), strategy.experience).mean()
        if not part.replayed:
            return labels
        found = []
        for sample, task in zip(x, t.tolist(), strict=True):
            model, classes = then[task]
            now, before = strategy.model(sample[None])[0], model(sample[None])[0]
            found += distances(now[classes], before[classes])
        return memory_loss.beta * labels + memory_loss.alpha * sum(found) / len(found)

    check = CheckLosses(expected)
    strategy = replay_strategy(
        memory_size=12,
        memory_objectives=memory_objectives,
        memory_loss=memory_loss,
        plugins=[check],
    )
    for experience in toy_benchmark(scenario=scenario).train_stream:
        strategy.train(experience)
        note_finished(then, strategy, experience)
    assert check.checked["replayed"] >= 5
