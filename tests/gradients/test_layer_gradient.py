import torch
from torch import nn

from avalanche_emgd.gradients.layer_gradient import LayerGradient


def test_pieces_are_those_of_all_blocks_in_order():
    x, back = torch.arange(10.0).view(5, 2), torch.arange(5.0).view(5, 1)
    blocks = [(x[:3], back[:3], [1, 2]), (x[3:], back[3:], [2])]
    gradient = LayerGradient(nn.Linear(2, 1), blocks, {})
    assert torch.equal(gradient.inputs, x)
    assert torch.equal(gradient.backprops, back)
    pieces = list(gradient.pieces())
    assert [len(inputs) for inputs, _ in pieces] == [1, 2, 2]
    assert torch.equal(torch.cat([backprops for _, backprops in pieces]), back)


def test_a_single_block_is_not_copied():
    x, back = torch.ones(3, 2), torch.ones(3, 1)
    gradient = LayerGradient(nn.Linear(2, 1), [(x, back, [3])], {})
    assert gradient.inputs is x
    assert gradient.backprops is back
