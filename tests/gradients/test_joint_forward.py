import pytest
import torch
from torch import nn

from avalanche_emgd.gradients import Batches
from avalanche_emgd.gradients.joint_forward import JointForward, UntrustedError
from avalanche_emgd.gradients.model_structure import modules_of
from avalanche_emgd.gradients.rules import is_known


def forward(model, groups=None, is_coupled=False):
    x = torch.randn(9, 3).double()
    layers = [each for each in modules_of(model) if is_known(each)]
    return x, JointForward(model, Batches(x, [2, 3, 4], groups), layers, is_coupled)


def test_objectives_are_one_pass():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x, joint = forward(model)
    torch.testing.assert_close(joint.output, model(x))
    assert joint.sizes == [2, 3, 4]
    assert len(joint.calls) == 2
    found, sizes = joint.backward_from(torch.ones_like(joint.output), x, retain_graph=False)
    assert sizes == [2, 3, 4]
    assert torch.equal(found[0].inputs, x)


def test_a_coupled_group_is_a_pass_with_a_backward_pass_for_each():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    x, joint = forward(model, [1, 2], True)
    assert len(joint.calls) == 6  # of two passes
    torch.testing.assert_close(joint.output[2:], model(x[2:]))
    _, sizes = joint.backward_from(torch.ones_like(joint.output), x, retain_graph=False)
    assert sizes == [2, 7, 7]


@pytest.mark.parametrize("groups", [None, [1, 2]])
def test_backward_from_losses_is_that_from_their_gradients(groups):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    x, joint = forward(model, groups, True)
    losses = [output.square().mean() for output in joint.output.split(joint.sizes)]
    (by_output,) = torch.autograd.grad(losses, joint.output, [torch.ones(())] * 3, True)
    found, sizes = joint.backward(losses, x, retain_graph=True)
    expected, other_sizes = joint.backward_from(by_output, x, retain_graph=False)
    assert sizes == other_sizes
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.backprops, other.backprops)
        assert all(torch.equal(one.own[name], other.own[name]) for name in other.own)


class Changes(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.layer, self._change = nn.Linear(3, 2), change

    def forward(self, x):
        return self._change(self.layer, x)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda layer, x: layer(x).sum(), "outputs are not one for each sample"),
        (lambda layer, x: layer(x)[:-1], "outputs are not one for each sample"),
        (lambda layer, x: layer(x[:4]).sum() + x, "Linear does not see all samples"),
        (lambda layer, x: layer(x).detach(), "do not depend on a trained parameter"),
    ],
)
def test_passes_that_are_not_of_samples(change, words):
    with pytest.raises(UntrustedError, match=words):
        forward(Changes(change).double())[1].shape()


def test_inputs_that_are_modified_afterwards():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    _, joint = forward(model)
    assert not joint.is_modified()
    joint.calls[1].inputs.add_(1.0)
    assert joint.is_modified()
