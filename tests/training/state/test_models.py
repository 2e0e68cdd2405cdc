import pytest
import torch
from avalanche.models import IncrementalClassifier, MTSimpleMLP
from torch import nn

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.models import load_like, load_tensors, module_state
from tests.training.common import toy_model, toy_strategy, weights_of
from tests.training.state.interrupted import interrupted, serial_stream, train_stream


class Growing(nn.Module):
    """A network with one of Avalanche's heads, which grow."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 8)
        self.head = IncrementalClassifier(8, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


@pytest.mark.parametrize("stream", [train_stream, serial_stream])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD])
def test_heads_that_grow(stream, kind):
    def make(plugins):
        model = Growing()
        optimizer = kind(model.parameters(), lr=0.01)
        return EMGDStrategy(
            model,
            optimizer=optimizer,
            memory_size=12,
            plugins=plugins,
            evaluator=None,
            train_mb_size=4,
        )

    interrupted(make, stream, ticks=[0, 4, 6, -1])


def test_one_head_for_each_task():
    def make(plugins):
        model = MTSimpleMLP(input_size=5, hidden_size=8)
        return toy_strategy(model=model, memory_size=12, plugins=plugins)

    interrupted(make, lambda: train_stream(scenario="task"), ticks=[0, 3, 6, -1])


def test_a_part_of_the_model_is_found_by_names_and_shapes():
    model = toy_model()
    state = module_state(model.backbone.eval())
    other = toy_model(seed=1)
    found = load_like(state, None, other)
    assert all(map(torch.equal, found.parameters(), model.backbone.parameters()))
    assert not torch.equal(weights_of(other.backbone), weights_of(found))  # a copy
    assert not found.training
    assert load_like(module_state(nn.Linear(3, 3)), None, other) is None
    own = nn.Linear(3, 3)
    state = module_state(nn.Linear(3, 3).requires_grad_(False))
    assert load_like(state, own, other) is own
    assert not own.weight.requires_grad


def test_other_architectures_are_named():
    tensors = module_state(toy_model())["tensors"]
    for changes, words in (
        ({"more": torch.ones(1)}, "`model` lacks 'more', unlike the saved one"),
        ({"classifier.bias": torch.ones(8)}, r"has 'classifier.bias' of shape \(6,\), but .*8"),
    ):
        with pytest.raises(StateError, match=words):
            load_tensors(toy_model(), {**tensors, **changes})
    del tensors["classifier.bias"]
    model = toy_model(seed=1)
    before = weights_of(model)
    with pytest.raises(StateError, match=r"`model` has 'classifier\.bias', unlike the saved one"):
        load_tensors(model, tensors)
    assert torch.equal(weights_of(model), before)
