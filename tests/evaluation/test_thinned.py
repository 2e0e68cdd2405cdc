"""Curves of bounded length."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.evaluation.thinned import ThinnedCurve


@given(st.integers(0, 3000), st.integers(4, 20))
def test_points_are_few_and_evenly_spread(number, most):
    curve = ThinnedCurve(most)
    for x in range(number):
        curve.append(x, x / 2)
    points = curve.points
    assert len(points) <= most
    assert all(y == x / 2 for x, y in points)
    if number:
        assert points[0][0] == 0
        assert points[-1][0] == number - 1
    gaps = [b[0] - a[0] for a, b in pairwise(points)]
    assert len(set(gaps[:-1])) <= 1
    assert not gaps or gaps[-1] <= gaps[0]
    again = ThinnedCurve.from_state(curve.state_dict(), most)
    for each in (curve, again):
        each.append(number, 0.0)
    assert again.points == curve.points


def test_too_few_points():
    with pytest.raises(ValueError, match="`most` must be a whole number, at least 4, found 3"):
        ThinnedCurve(3)
