"""Gradients of several objectives by kernels in one call, against one call for each."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.gradients.convolutions import as_channels, as_products, gradients_at_once
from avalanche_emgd.gradients.layer_gradient import LayerGradient
from avalanche_emgd.gradients.rules import rule_of
from tests.tolerance import tolerance

KINDS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def check(layer, inputs, backprops, n, found):
    pieces = zip(inputs.chunk(n), backprops.chunk(n), strict=True)
    with torch.no_grad():
        rows = [rule_of(layer)(layer, *piece) for piece in pieces]
    for name in rows[0]:
        expected = torch.stack([row[name] for row in rows])
        bound = tolerance(torch.float64, 500, scale=float(expected.abs().max()) + 100.0)
        torch.testing.assert_close(found[name], expected, rtol=0.0, atol=bound)


def samples(layer, dims, n, size):
    inputs = torch.randn(n * size, layer.in_channels, *[5, 6, 4][:dims], dtype=torch.float64)
    return inputs, torch.randn_like(layer(inputs).detach())


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2),
    st.sampled_from([1, 2]), st.booleans(), st.integers(2, 4), st.integers(1, 3),
)  # fmt: skip
def test_objectives_as_groups_of_one_convolution(
    dims, kernel, stride, padding, dilation, groups, bias, n, size
):
    layer = KINDS[dims](
        4, 6, kernel, stride, padding, dilation=dilation, groups=groups, bias=bias
    ).double()
    inputs, backprops = samples(layer, dims, n, size)
    with torch.no_grad():
        check(layer, inputs, backprops, n, as_channels(layer, inputs, backprops, n))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.booleans(),
    st.integers(2, 4), st.integers(1, 3),
)  # fmt: skip
def test_kernels_of_one_pixel_are_products(dims, stride, dilation, bias, n, size):
    layer = KINDS[dims](4, 6, 1, stride, dilation=dilation, bias=bias).double()
    inputs, backprops = samples(layer, dims, n, size)
    with torch.no_grad():
        check(layer, inputs, backprops, n, as_products(layer, inputs, backprops, n))


@pytest.mark.parametrize(
    ("layer", "sizes", "is_at_once"),
    [
        (nn.Conv2d(4, 6, 1), [2, 2], True),
        (nn.Conv2d(4, 6, 1, stride=2), [2, 2], True),
        (nn.Conv2d(4, 6, 1), [3, 1], False),
        (nn.Conv2d(4, 6, 1), [4], False),
        (nn.Conv2d(4, 6, 1, padding=1), [2, 2], False),
        (nn.Conv2d(4, 6, 1, padding="same"), [2, 2], False),
        (nn.Conv2d(4, 6, 1, groups=2), [2, 2], False),
        (nn.Conv2d(4, 6, 3), [2, 2], False),
    ],
)
def test_which_kernels_are_taken_at_once_on_the_cpu(layer, sizes, is_at_once):
    layer = layer.double()
    inputs, backprops = samples(layer, 2, sum(sizes), 1)
    gradient = LayerGradient(layer, [(inputs, backprops, sizes)], {})
    found = gradients_at_once(layer, gradient)
    assert (found is not None) is is_at_once
    if found is not None:
        check(layer, inputs, backprops, len(sizes), found)
    twice = LayerGradient(layer, [(inputs, backprops, sizes)] * 2, {})
    assert gradients_at_once(layer, twice) is None
