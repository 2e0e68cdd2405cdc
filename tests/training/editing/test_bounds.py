import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.training.editing import PixelBounds
from tests.tolerance import tolerance

# Of the pixels of an image, which are of order one, and of their distance, in ten steps.
ROUNDING = tolerance(torch.float64, 2 * 4 * 4 * 10)


def longest(length):
    return length + ROUNDING * (1.0 + length)


def images(seed, shape=(3, 2, 4, 4)):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


@given(
    st.sampled_from(["l2", "sign"]),
    st.floats(1e-4, 10.0),
    st.floats(1e-4, 5.0),
    st.sampled_from([None, (0.0, 1.0), ((0.0, -0.5), (1.0, 1.5))]),
    st.floats(-30, 30),
    st.integers(0, 10**6),
)
def test_ball_and_range_hold_after_any_number_of_edits(norm, step, radius, ends, scale, seed):
    bounds = PixelBounds(step, radius, norm, ends)
    original = x = images(seed)
    for turn in range(4):
        gradient = 10.0**scale * (images(seed + turn + 1) - 0.5)
        gradient[0] *= turn % 2
        moved = bounds.move(x, original, gradient)
        size = (moved - x).flatten(1)
        if norm == "l2":
            assert (size.norm(dim=1) <= longest(step)).all()
            assert ((moved - original).flatten(1).norm(dim=1) <= longest(radius)).all()
        else:
            assert (size.abs() <= longest(step)).all()
            assert ((moved - original).abs() <= longest(radius)).all()
        low, high = original.amin((2, 3), keepdim=True), original.amax((2, 3), keepdim=True)
        if ends is not None:
            low, high = (torch.tensor(end).view(1, -1, 1, 1) for end in ends)
        assert (moved >= low).all()
        assert (moved <= high).all()
        if turn % 2 == 0:
            assert torch.equal(moved[0], x[0])
        x = moved


@pytest.mark.parametrize("norm", ["l2", "sign"])
def test_a_free_step_goes_down_the_gradient(norm):
    original = torch.full((2, 5), 0.5)
    gradient = torch.randn(2, 5)
    moved = PixelBounds(0.01, 1.0, norm, (0.0, 1.0)).move(original, original, gradient)
    if norm == "l2":
        expected = original - 0.01 * gradient / gradient.norm(dim=1, keepdim=True)
    else:
        expected = original - 0.01 * gradient.sign()
    torch.testing.assert_close(moved, expected)


def test_images_without_a_finite_gradient_stay():
    x = images(0)
    gradient = torch.ones_like(x)
    gradient[0], gradient[1, 0, 0, 0] = 0.0, float("nan")
    moved = PixelBounds(0.1, 1.0, pixel_range=(-9.0, 9.0)).move(x, x, gradient)
    assert torch.equal(moved[:2], x[:2])
    assert not torch.equal(moved[2], x[2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step": 0.0}, "`step` must be positive and finite, found 0.0"),
        ({"radius": -1.0}, "`radius` must be positive and finite, found -1.0"),
        ({"step": float("nan")}, "`step` must be positive and finite"),
        ({"norm": "l1"}, "`norm` must be one of l2, sign"),
        ({"pixel_range": (1.0, 0.0)}, "`pixel_range` must be two numbers"),
        ({"pixel_range": ((0.0, 0.0), 1.0)}, "`pixel_range` must be two numbers"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        PixelBounds(**{"step": 0.1, "radius": 1.0, **settings})


def test_a_range_of_other_channels():
    bounds = PixelBounds(0.1, 1.0, pixel_range=((0.0,) * 3, (1.0,) * 3))
    with pytest.raises(ValueError, match="`pixel_range` has 3 channels, but the images have shape"):
        bounds.move(images(0), images(0), images(1))
