"""Heads, and states of the size of the model, grow with the classes of a live stream."""

import copy

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.models import IncrementalClassifier, MTSimpleMLP
from avalanche.models.dynamic_modules import MultiTaskModule
from torch import nn

from avalanche_emgd import MLP, EMGDStrategy
from tests.training.common import toy_strategy
from tests.training.scripted_streams import scripted, train


class Dynamic(nn.Module):
    """Avalanche's growing classifier behind a hidden layer."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(5, 8)
        self.head = IncrementalClassifier(8, 2)

    def forward(self, x):
        return self.head(self.hidden(x).relu())


class MultiHead(MTSimpleMLP):
    def __init__(self):
        super().__init__(input_size=5, hidden_size=8)


@pytest.mark.parametrize("kind", [Dynamic, MultiHead])
def test_dynamic_modules_of_avalanche(kind):
    torch.manual_seed(0)
    model = kind()
    scenario = "task" if issubclass(kind, MultiTaskModule) else "class"
    strategy, stream, _, metrics = train("emgd-gmc", scenario, model=model)
    assert stream.has_ended
    assert metrics.result().A_e >= 0.5
    for parameter in strategy.model.parameters():
        assert any(parameter is p for g in strategy.optimizer.param_groups for p in g["params"])
        assert int(strategy.optimizer.state[parameter]["step"]) > 0


class Moments(SupervisedPlugin):
    """Remembers the optimizer's state before each segment."""

    def __init__(self):
        super().__init__()
        self.at_end, self.at_start = [], []

    def state(self, strategy):
        return {
            name: copy.deepcopy(strategy.optimizer.state.get(parameter, {}))
            for name, parameter in strategy.model.named_parameters()
        }

    def before_training_exp(self, strategy, **kwargs):
        self.at_start.append(self.state(strategy))

    def after_training_exp(self, strategy, **kwargs):
        self.at_end.append(self.state(strategy))


@pytest.mark.parametrize("kind", [Dynamic, lambda: MLP(1, in_features=5, hidden=(8,))])
def test_the_state_of_the_optimizer_is_kept_where_heads_grow(kind):
    stream, script = scripted()
    torch.manual_seed(0)
    model, moments = kind(), Moments()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    strategy = EMGDStrategy(
        model,
        optimizer=optimizer,
        memory_size=6,
        plugins=[script, moments],
        evaluator=None,
    )
    strategy.train(stream)
    grown = 0
    for after, before in zip(moments.at_end, moments.at_start[1:], strict=False):
        for name, state in after.items():
            for key, old in state.items():
                new = before[name][key]
                if new.shape == old.shape:
                    assert torch.equal(new, old), (name, key)
                else:
                    grown += 1
                    inside = tuple(map(slice, old.shape))
                    assert torch.equal(new[inside], old)
                    assert new.abs().sum() == old.abs().sum()
    assert grown >= 8  # two growths, weight and bias, two moments


@pytest.mark.parametrize("name", ["db-mtl", "excess-mtl", "si", "ewc", "mdmt-r"])
def test_states_of_the_size_of_the_model_follow_its_growth(name):
    # The state of a parameter that does not grow is the same as with a head that is wide enough.
    strategy, *_ = train(name)
    assert len(strategy.space.update) == sum(p.numel() for p in strategy.model.parameters())


def test_a_state_moves_with_its_parameters():
    from avalanche_emgd.optim.peers import DBMTL
    from avalanche_emgd.training.gradient_space import GradientSpace, positions_of
    from avalanche_emgd.training.live import Heads

    class Segment:
        active_tasks = (0,)

        class benchmark:  # noqa: N801
            identity, label_sets, num_classes = "a", ((0, 1, 2),), 3

    class Strategy:
        device = "cpu"
        optimized_param_id = None
        model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    before = GradientSpace(Strategy.model)
    numbers = torch.cat([p.detach().reshape(-1) for p in Strategy.model.parameters()])
    replaced = Heads().grow(Strategy, Segment)
    after = GradientSpace(Strategy.model)
    positions = positions_of(before, after, replaced)
    now = torch.cat([p.detach().reshape(-1) for p in Strategy.model.parameters()])
    assert torch.equal(now[positions], numbers)
    assert len(positions.unique()) == len(numbers)
    weighting = DBMTL()
    weighting._state = {"task": (3, numbers.clone())}
    weighting.move_state(positions, len(now))
    ticks, moved = weighting._state["task"]
    assert ticks == 3
    assert torch.equal(moved[positions], numbers)
    assert len(moved) == len(now)
    assert float(moved.abs().sum()) == pytest.approx(float(numbers.abs().sum()))


def test_shared_parameters_that_grow():
    stream, script = scripted()
    torch.manual_seed(0)
    model = MLP(2, in_features=5, hidden=(8,))
    strategy = toy_strategy(
        model=model, memory_size=6, shared=list(model.parameters()), plugins=[script]
    )
    strategy.train(stream)
    assert strategy.space.num_shared == sum(p.numel() for p in model.parameters())


def test_a_classifier_that_cannot_grow():
    model = nn.Sequential(nn.Linear(5, 8), nn.utils.parametrizations.weight_norm(nn.Linear(8, 2)))
    stream, script = scripted()
    with pytest.raises(ValueError, match="cannot grow to 4 outputs: make it with as many"):
        toy_strategy(model=model, memory_size=0, plugins=[script]).train(stream)
