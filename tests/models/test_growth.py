"""Heads that grow keep their values and the state of the optimizer."""

import pytest
import torch
from torch import nn

from avalanche_emgd import MLP
from avalanche_emgd.models import NearestMean, carry_optimizer_state, grow_heads, grow_like
from avalanche_emgd.models.cosine import use_cosine_classifier


def named(model):
    return dict(model.named_parameters())


def cosine():
    model = MLP(2, in_features=4, hidden=(3,))
    use_cosine_classifier(model, 10.0)
    return model


MODELS = {
    "mlp": lambda: MLP(2, in_features=4, hidden=(3,)),
    "without bias": lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2, bias=False)),
    "double": lambda: MLP(2, in_features=4, hidden=(3,)).double(),
    "cosine": cosine,
    "nearest mean": lambda: NearestMean(
        MLP(2, in_features=4, hidden=(3,)), lambda: (torch.empty(0, 4), torch.empty(0))
    ),
}


@pytest.mark.parametrize("kind", list(MODELS))
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True),
        lambda p: torch.optim.AdamW(p, lr=0.1, foreach=True),
        lambda p: torch.optim.RMSprop(p, lr=0.1, centered=True, momentum=0.5),
        lambda p: torch.optim.Adagrad(p, lr=0.1),
        lambda p: torch.optim.Adadelta(p),
        lambda p: torch.optim.NAdam(p),
    ],
)
def test_outputs_and_states_stay(kind, optimizer):
    torch.manual_seed(0)
    model = MODELS[kind]()
    model.train()
    steps = optimizer(list(model.parameters()))
    x = torch.randn(5, 4, dtype=next(model.parameters()).dtype)
    for _ in range(3):
        steps.zero_grad()
        model(x).square().sum().backward()
        steps.step()
    before, outputs = named(model), model(x)
    states = {name: dict(steps.state[p]) for name, p in before.items() if p in steps.state}
    grow_heads(model, {0: [0, 1], 1: [4]}, 5)
    replaced = carry_optimizer_state(steps, before, named(model))
    assert model(x).shape == (5, 5)
    torch.testing.assert_close(model(x)[:, :2], outputs, rtol=0.0, atol=1e-6)
    assert {id(before[name]) for name in before if before[name] is not named(model)[name]} == set(
        replaced
    )
    in_groups = [p for group in steps.param_groups for p in group["params"]]
    for name, parameter in named(model).items():
        if kind == "cosine" and name not in states:
            continue
        assert sum(parameter is each for each in in_groups) == 1
        for key, value in states.get(name, {}).items():
            found = steps.state[parameter][key]
            if isinstance(value, torch.Tensor) and value.ndim:
                assert found.shape == parameter.shape
                assert torch.equal(found[tuple(map(slice, value.shape))], value)
                assert found.count_nonzero() == value.count_nonzero()
            else:
                assert found == value
    steps.zero_grad()
    model(x).square().sum().backward()
    steps.step()  # works with the grown state
    assert all(p.isfinite().all() for p in model.parameters())


def test_wide_enough_models_do_not_change():
    model = MLP(5, in_features=4, hidden=(3,))
    before = named(model)
    grow_heads(model, {0: [0, 4]}, 5)
    assert all(named(model)[name] is before[name] for name in before)


def test_new_rows_begin_like_those_of_a_new_layer():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(100, 2))
    grow_heads(model, {0: [0, 999]}, 1000)
    bound = 100**-0.5
    new = model[0].weight[2:]
    assert float(new.abs().max()) <= bound
    # The variance of a uniform distribution on [−b, b] is b²/3; 99,800 values.
    assert float(new.var()) == pytest.approx(bound**2 / 3, rel=0.02)
    assert model[0].out_features == 1000


def test_frozen_classifiers_stay_frozen():
    model = MLP(2, in_features=4, hidden=(3,))
    model.classifier.requires_grad_(False)
    grow_heads(model, {0: [3]}, 4)
    assert not any(p.requires_grad for p in model.classifier.parameters())


def test_a_model_without_a_linear_classifier_is_left_alone():
    model = nn.Sequential(nn.Conv2d(1, 2, 3))
    grow_heads(model, {0: [3]}, 4)
    assert model[0].out_channels == 2


def test_growing_like_a_saved_state():
    model, other = (MLP(width, in_features=4, hidden=(3,)) for width in (2, 6))
    grow_like(model, other.state_dict())
    model.load_state_dict(other.state_dict())
    weight = model.classifier.weight
    grow_like(model, other.state_dict())
    assert model.classifier.weight is weight


def test_a_state_of_other_shapes_begins_anew():
    model = MLP(2, in_features=4, hidden=(3,))
    optimizer = torch.optim.Adafactor(model.parameters(), lr=0.01)
    model(torch.randn(5, 4)).sum().backward()
    optimizer.step()
    before, kept = dict(model.named_parameters()), model.backbone[1].weight
    grow_heads(model, {0: [3]}, 4)
    with pytest.warns(UserWarning, match=r"Adafactor for the parameter 'classifier.weight'"):
        carry_optimizer_state(optimizer, before, dict(model.named_parameters()))
    assert model.classifier.weight not in optimizer.state
    assert optimizer.state[kept]["step"] == 1
    model(torch.randn(5, 4)).sum().backward()
    optimizer.step()
    assert optimizer.state[model.classifier.weight]["step"] == 1
