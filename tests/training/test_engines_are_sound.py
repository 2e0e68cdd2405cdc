"""Runs on models and losses for which one pass for all objectives would be wrong."""

import copy
import pickle
import weakref

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

from avalanche_emgd import EMGDStrategy, Timeline
from avalanche_emgd.gradients import FusedEngine, PlainEngine
from tests.gradients.soundness.parts import Of
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of

SERIAL, OVERLAPPING = Timeline.serial([6, 6, 6]), Timeline(((0, 5), (1, 6), (3, 8)))


def pruned():
    return prune.random_unstructured(nn.Linear(5, 8), "weight", 0.5)


FIRST = {
    "in place": lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(inplace=True)),
    "assignment": lambda: Of(lambda s, x: s.layer(x).mul_(2.0), layer=nn.Linear(5, 8)),
    "weight norm": lambda: parametrizations.weight_norm(nn.Linear(5, 8)),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Linear(5, 8)),
    "old weight norm": lambda: nn.utils.weight_norm(nn.Linear(5, 8)),
    "pruned": pruned,
    "functional": lambda: Of(
        lambda s, x: functional.linear(x, s.layer.weight), layer=nn.Linear(5, 8)
    ),
    "keyword": lambda: Of(lambda s, x: s.layer(input=x), layer=nn.Linear(5, 8)),
    "no bias": lambda: nn.Linear(5, 8, bias=False),
    "compiled": lambda: torch.compile(nn.Linear(5, 8), backend="eager"),
    "instance norm": lambda: Of(
        lambda s, x: s.norm(s.layer(x).view(len(x), 2, 4)).flatten(1),
        layer=nn.Linear(5, 8),
        norm=nn.InstanceNorm1d(2, track_running_stats=True),
    ),
    "modifies its input": lambda: Of(lambda s, x: s.layer(x.sub_(0.1)), layer=nn.Linear(5, 8)),
    "traced": lambda: torch.jit.trace(nn.Linear(5, 8), torch.randn(4, 5)),
    "checkpoint": lambda: Of(
        lambda s, x: checkpoint(s.layer, x, use_reentrant=False), layer=nn.Linear(5, 8)
    ),
}


def runs(make, timeline, scenario="class", **options):
    """Return weights and buffers after a run with the default engine and with separate passes."""
    found = []
    for engine in (None, PlainEngine()):
        torch.manual_seed(0)
        model = make()
        strategy = toy_strategy(model=model, engine=engine, memory_size=6, **options)
        benchmark = toy_benchmark((24, 24, 24), timeline=timeline, scenario=scenario)
        strategy.train(benchmark.train_stream)
        found.append([weights_of(model), *[b.clone().float() for b in model.buffers()]])
    return found


def agree(found, expected):
    """Whether two results are equal up to rounding, which a contraction keeps small."""
    epsilon = torch.finfo(torch.float32).eps
    for ours, right in zip(found, expected, strict=True):
        assert float((ours - right).norm()) <= 2**10 * epsilon * float(right.norm())


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:`torch.jit.trace")
@pytest.mark.parametrize("timeline", [SERIAL, OVERLAPPING], ids=["serial", "overlapping"])
@pytest.mark.parametrize("first", FIRST)
def test_models(first, timeline):
    def make():
        return nn.Sequential(FIRST[first](), nn.Tanh(), nn.Linear(8, 6))

    agree(*runs(make, timeline))


@pytest.mark.parametrize(
    "criterion",
    [
        nn.CrossEntropyLoss(ignore_index=1),
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2, 3, 4, 5, 6])),
        lambda output, target: functional.cross_entropy(output, target) ** 2,
    ],
    ids=["ignored", "weighted", "callable"],
)
def test_criteria(criterion):
    agree(*runs(toy_model, OVERLAPPING, criterion=criterion))


def test_a_criterion_with_its_own_forward():
    criterion = nn.CrossEntropyLoss()
    criterion.forward = lambda output, target: 3.0 * functional.cross_entropy(output, target)
    agree(*runs(toy_model, OVERLAPPING, criterion=criterion))
    criterion = nn.CrossEntropyLoss()
    criterion.register_forward_hook(lambda module, given, loss: 3.0 * loss)
    agree(*runs(toy_model, OVERLAPPING, criterion=criterion))


class Penalty:
    """Cross-entropy that depends on the parameters, too, from the eighth call on."""

    def __init__(self):
        self.model, self.calls = None, 0

    def __call__(self, output, target):
        self.calls += 1
        loss = functional.cross_entropy(output, target)
        if self.calls < 8:
            return loss
        return loss + 0.1 * sum(p.square().sum() for p in self.model.parameters())


def test_a_criterion_of_parameters_that_begins_in_mid_training():
    found = []
    for engine in (None, PlainEngine()):
        torch.manual_seed(0)
        criterion, model = Penalty(), toy_model()
        criterion.model = model
        strategy = toy_strategy(model=model, engine=engine, criterion=criterion, memory_size=6)
        strategy.train(toy_benchmark((24, 24, 24), timeline=OVERLAPPING).train_stream)
        found.append([weights_of(model)])
    agree(*found)


def test_a_loss_that_is_set_on_the_strategy_itself():
    found = []
    for engine in (None, PlainEngine()):
        torch.manual_seed(0)
        strategy = toy_strategy(model=toy_model(), engine=engine, memory_size=6)
        strategy.objective_loss = lambda output, part: 0.1 * output.clamp(min=-9.0).square().mean()
        strategy.train(toy_benchmark((24, 24, 24), timeline=OVERLAPPING).train_stream)
        found.append([weights_of(strategy.model)])
    agree(*found)


class Centring(SupervisedPlugin):
    """Plugin that makes the outputs of an objective depend on the samples of other objectives."""

    def __init__(self, first=0):
        super().__init__()
        self.first = first

    def after_forward(self, strategy, **kwargs):
        if strategy.clock.train_iterations >= self.first:
            strategy.mb_output = strategy.mb_output + strategy.mb_output.clamp(min=-9.0).mean(dim=0)


@pytest.mark.parametrize("first", [0, 5])
def test_plugins_that_couple_objectives(first):
    agree(*runs(toy_model, OVERLAPPING, plugins=[Centring(first)]))


class InPlace(SupervisedPlugin):
    """Plugin that modifies outputs in place, so that they depend on other objectives' samples."""

    def after_forward(self, strategy, **kwargs):
        if strategy.clock.train_iterations >= 4:
            strategy.mb_output.add_(0.5 * strategy.mb_output.clone().clamp(min=-9.0).mean(dim=0))


class Halving(SupervisedPlugin):
    """Plugin that halves the gradients by the outputs from a given tick on."""

    def after_forward(self, strategy, **kwargs):
        if strategy.clock.train_iterations >= 4:
            strategy.mb_output.register_hook(lambda gradient: 0.5 * gradient)


@pytest.mark.parametrize("scenario", ["class", "task"])
@pytest.mark.parametrize("plugin", [InPlace, Halving])
@pytest.mark.parametrize(
    "criterion", [None, lambda output, target: functional.cross_entropy(output, target)]
)
def test_plugins_that_modify_outputs(criterion, plugin, scenario):
    options = {"scenario": scenario, "criterion": criterion}
    with_plugin = runs(toy_model, OVERLAPPING, plugins=[plugin()], **options)
    agree(*with_plugin)
    without = runs(toy_model, OVERLAPPING, **options)
    assert not torch.equal(with_plugin[1][0], without[1][0])


@pytest.mark.parametrize("scenario", ["class", "task"])
def test_criteria_that_modify_outputs_in_place(scenario):
    def criterion(output, target):
        return functional.cross_entropy(output.div_(2.0), target)

    agree(*runs(toy_model, OVERLAPPING, scenario, criterion=criterion))


class Hooking(SupervisedPlugin):
    """Plugin that adds a hook during training."""

    def before_training_iteration(self, strategy, **kwargs):
        if strategy.clock.train_iterations == 4:
            strategy.model[0].register_full_backward_hook(
                lambda module, given, back: tuple(g if g is None else 2.0 * g for g in given)
            )
            strategy.model[2].weight.register_hook(lambda gradient: 0.5 * gradient)


@pytest.mark.filterwarnings("ignore:Full backward hook")
def test_hooks_added_during_training():
    def make():
        return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6))

    agree(*runs(make, OVERLAPPING, plugins=[Hooking()]))


@pytest.mark.parametrize("engine", [None, PlainEngine()])
@pytest.mark.parametrize("timeline", [SERIAL, OVERLAPPING], ids=["serial", "overlapping"])
def test_reentrant_checkpoints_are_refused(engine, timeline):
    model = nn.Sequential(
        Of(lambda s, x: checkpoint(s.layer, x, use_reentrant=True), layer=nn.Linear(5, 8)),
        nn.Linear(8, 6),
    )
    strategy = toy_strategy(model=model, engine=engine)
    with pytest.raises(ValueError, match="use_reentrant=False"):
        strategy.train(toy_benchmark((24, 24, 24), timeline=timeline).train_stream)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_copied_engine_continues_like_the_original(copied):
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6))
    engine = FusedEngine(model)

    def tick(model, engine, seed):
        torch.manual_seed(seed)
        batches = [torch.randn(4, 5) for _ in range(3)]
        made = engine.forward(model, batches)
        losses = [output.square().mean() for output in made.outputs]
        found = made.gradients(losses, list(model.parameters())).rows.clone()
        return found, made.joined is not None

    for k in range(3):
        tick(model, engine, k)
    twin, other = copied((model, engine))
    for k in range(3, 9):
        (found, fused), (expected, was_fused) = tick(twin, other, k), tick(model, engine, k)
        assert torch.equal(found, expected)
        assert fused is was_fused is (k not in (3, 7))  # the fourth tick and the eighth


class References(SupervisedPlugin):
    """Plugin that records weak references to the passes."""

    def __init__(self):
        super().__init__()
        self.passes = []

    def after_backward(self, strategy, **kwargs):
        self.passes.append(weakref.ref(strategy.now.forward_pass))

    def after_update(self, strategy, **kwargs):
        assert [made() is None for made in self.passes] == [True] * strategy.tick + [False]


def test_graphs_are_released_at_the_end_of_a_tick():
    references = References()
    strategy = toy_strategy(EMGDStrategy, memory_size=6, plugins=[references])
    strategy.train(toy_benchmark(timeline=Timeline(((0, 4), (0, 3), (0, 3)))).train_stream)
    assert len(references.passes) == 5
    assert all(made() is None for made in references.passes)
    assert not strategy.loss.requires_grad
