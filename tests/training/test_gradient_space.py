import copy
import pickle

import pytest
import torch
from torch import nn

from avalanche_emgd.training.gradient_space import GradientSpace
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.tolerance import tolerance
from tests.toy import toy_benchmark
from tests.training.common import TERMS, toy_model, toy_strategy


def test_gramian_over_shared_parameters_only():
    class Check(MultiGradientPlugin):
        def after_weighting(self, strategy, **kwargs):
            backbone = sum(p.numel() for p in strategy.model.backbone.parameters())
            shared = strategy.gradients[:, :backbone].double()
            # float32 gradients need not be laid out before they are multiplied
            bound = tolerance(torch.float32, TERMS) * torch.outer(*2 * [shared.norm(dim=1)])
            assert ((strategy.gramian - shared @ shared.T).abs() <= bound).all()

        def before_update(self, strategy, **kwargs):
            own = torch.cat([p.grad.reshape(-1) for p in strategy.model.classifier.parameters()])
            backbone = strategy.gradients.shape[1] - len(own)
            torch.testing.assert_close(own, strategy.gradients[:, backbone:].sum(0))
            theta = torch.cat([p.grad.reshape(-1) for p in strategy.model.backbone.parameters()])
            expected = strategy.weights.float() @ strategy.gradients[:, :backbone]
            torch.testing.assert_close(theta, expected)

    model = toy_model()
    for shared in (model.backbone, list(model.backbone.parameters())):
        toy_strategy(model=model, shared=shared, memory_size=6, plugins=[Check()]).train(
            toy_benchmark().train_stream
        )


def test_shared_must_be_part_of_the_model():
    with pytest.raises(ValueError, match="`shared` has no trained parameter of `model`"):
        toy_strategy(shared=nn.Linear(2, 2))


def test_one_dtype():
    model = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 6).double())
    with pytest.raises(ValueError, match="one dtype"):
        toy_strategy(model=model)


SIZES = (6, 3, 12)  # of a weight, a bias and another weight


def layers():
    return nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.Linear(3, 4, bias=False)})


def test_shared_parameters_come_first():
    model = layers()
    space = GradientSpace(model, model["b"])
    assert [p.numel() for p in space.parameters] == [12, 6, 3]
    assert space.num_shared == 12
    assert GradientSpace(model).num_shared == 21


@pytest.mark.parametrize("by_module", [True, False])
def test_the_shared_parameters_are_those_that_have_grown(by_module):
    model = layers()
    space = GradientSpace(model, model["b"] if by_module else iter(model["b"].parameters()))
    before = model["b"].weight
    model["b"].weight = torch.nn.Parameter(torch.zeros(before.shape[0] + 1, before.shape[1]))
    renewed = space.renewed(model, {id(before): model["b"].weight})
    assert renewed.parameters[0] is model["b"].weight
    assert renewed.num_shared == space.num_shared + before.shape[1]


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("accumulate", [True, False])
def test_gradients_are_pieces_of_the_update(own, accumulate):
    space = GradientSpace(layers())
    flat = space.update.copy_(torch.arange(21.0)) if own else torch.arange(21.0)
    first, second, third = space.parameters
    first.grad, second.grad = torch.ones(3, 2), torch.ones(3)
    space.assign(flat, [True, False, True], accumulate=accumulate)
    pieces = torch.arange(21.0).split(SIZES)
    assert torch.equal(first.grad.flatten(), pieces[0] + accumulate)
    assert torch.equal(second.grad, torch.ones(3))  # no objective depends on it
    assert torch.equal(third.grad.flatten(), pieces[2])
    assert third.grad.data_ptr() == flat[9:].data_ptr()  # no copy


def test_gradients_of_earlier_ticks_are_kept_apart_from_the_update():
    space = GradientSpace(layers())
    assert not space.keep_gradients()
    space.assign(space.update.fill_(1.0), [True, False, True], accumulate=False)
    assert space.keep_gradients()
    space.assign(space.update.fill_(2.0), [True, True, True], accumulate=True)
    assert [float(p.grad.mean()) for p in space.parameters] == [3.0, 2.0, 3.0]


@pytest.mark.parametrize("way", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_has_a_buffer_of_its_own(way):
    space = GradientSpace(layers())
    other = way(space)
    other.update.fill_(2.0)
    other.assign(other.update, [True] * 3, accumulate=False)
    assert all(bool((p.grad == 2.0).all()) for p in other.parameters)
    assert all(p.grad is None for p in space.parameters)


def test_a_model_that_trains_nothing():
    with pytest.raises(ValueError, match="`model` has no parameter with requires_grad=True"):
        GradientSpace(layers().requires_grad_(False))
