import pytest
import torch
from torch import nn

from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.optimizers import load_optimizer, optimizer_state
from tests.training.common import toy_model

KINDS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
}


def step(optimizer, model, seed):
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()


def groups_of(model):
    return [
        {"params": list(model.backbone.parameters()), "lr": 0.2},
        {"params": list(model.classifier.parameters())},
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_optimizer_makes_the_same_steps(kind):
    model, other = toy_model(), toy_model(seed=1)
    optimizer, restored = (KINDS[kind](groups_of(each)) for each in (model, other))
    step(optimizer, model, 0)
    state = optimizer_state(optimizer, model)
    other.load_state_dict(model.state_dict())
    load_optimizer(restored, other, state)
    for seed in (1, 2):
        step(optimizer, model, seed)
        step(restored, other, seed)
    assert all(map(torch.equal, model.parameters(), other.parameters()))
    # The state is a copy: steps after it do not change it.
    again = KINDS[kind](groups_of(toy_model()))
    load_optimizer(again, toy_model(), state)
    moments = [each for own in state["state"]["state"].values() for each in own.values()]
    steps = [int(each) for each in moments if torch.is_tensor(each) and each.ndim == 0]
    assert all(number == 1 for number in steps)


def test_parameters_that_were_replaced_are_found_by_their_names():
    model = toy_model()
    optimizer = KINDS["momentum"](model.parameters())
    step(optimizer, model, 0)
    state = optimizer_state(optimizer, model)
    other = toy_model()
    fresh = KINDS["momentum"](other.parameters())
    other.classifier = nn.Linear(8, 6)  # the optimizer has the parameters of the old one
    load_optimizer(fresh, other, state)
    assert [id(p) for p in fresh.param_groups[0]["params"]] == list(map(id, other.parameters()))


def test_a_parameter_outside_of_the_model_keeps_its_place():
    model, outside = toy_model(), nn.Parameter(torch.ones(2))
    optimizer = KINDS["momentum"]([outside, *model.parameters()])
    state = optimizer_state(optimizer, model)
    assert state["names"][0][0] is None
    other, own = toy_model(), nn.Parameter(torch.zeros(2))
    restored = KINDS["momentum"]([own, *other.parameters()])
    load_optimizer(restored, other, state)
    assert restored.param_groups[0]["params"][0] is own
    assert torch.equal(own, torch.ones(2))
    wider = KINDS["momentum"]([nn.Parameter(torch.zeros(3)), *other.parameters()])
    with pytest.raises(StateError, match=r"has a parameter of shape \(3,\), but the saved one"):
        load_optimizer(wider, other, state)
    with pytest.raises(StateError, match="a group of 6 parameters, but the saved one has 7"):
        load_optimizer(KINDS["momentum"](other.parameters()), other, state)


def test_another_kind_is_refused():
    model = toy_model()
    state = optimizer_state(torch.optim.Adam(model.parameters()), model)
    with pytest.raises(StateError, match="`optimizer` is SGD, but 'Adam' in the saved strategy"):
        load_optimizer(torch.optim.SGD(model.parameters(), 0.1), model, state)


def test_other_groups_are_refused():
    model = toy_model()
    state = optimizer_state(KINDS["adam"](groups_of(model)), model)
    with pytest.raises(StateError, match="has 1 groups of parameters, but the saved one has 2"):
        load_optimizer(KINDS["adam"](model.parameters()), model, state)


def test_another_learning_rate_is_refused():
    model = toy_model()
    state = optimizer_state(torch.optim.Adam(model.parameters(), lr=0.1), model)
    other = torch.optim.Adam(model.parameters(), lr=0.2)
    with pytest.raises(StateError, match=r"`optimizer.lr` is 0.2, but 0.1 in the saved strategy"):
        load_optimizer(other, model, state)
    slower = torch.optim.Adam(model.parameters(), lr=0.1, betas=(0.9, 0.99))
    with pytest.raises(StateError, match=r"`optimizer.betas` is \(0.9, 0.99\), but \(0.9, 0.999\)"):
        load_optimizer(slower, model, state)


def test_a_scheduled_learning_rate_is_restored():
    model = toy_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    step(optimizer, model, 0)
    scheduler.step()
    fresh = torch.optim.SGD(model.parameters(), lr=0.1)
    load_optimizer(fresh, model, optimizer_state(optimizer, model))
    assert fresh.param_groups[0]["lr"] == 0.05
