import math
import re
from fractions import Fraction

import numpy as np
import pytest
import torch

from avalanche_emgd._numbers import (
    check_in_range,
    check_not_negative,
    check_positive,
    check_whole,
    is_number,
    is_whole,
)

NO_NUMBERS = [True, np.True_, "1", None, 1j, [1]]


@pytest.mark.parametrize("value", [0, -3, 2**70, np.int64(3), np.uint8(1)])
def test_integers(value):
    assert is_whole(value)
    assert is_number(value)


@pytest.mark.parametrize("value", [*NO_NUMBERS, 1.0, np.float32(2), torch.tensor(1)])
def test_everything_else_is_not_whole(value):
    assert not is_whole(value)


@pytest.mark.parametrize("value", [1.0, np.float32(2), Fraction(1, 3), math.nan])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_everything_else_is_no_number(value):
    assert not is_number(value)


ANY = [1e300, 5, Fraction(1, 3), np.float32(0.5), np.int64(2), 5e-324]
OUTSIDE = [-1, -1e-9, math.inf, -math.inf, math.nan, *NO_NUMBERS]


@pytest.mark.parametrize("value", [0, 0.0, *ANY])
def test_numbers_that_are_not_negative(value):
    check_not_negative("alpha", value)


@pytest.mark.parametrize("value", ANY)
def test_positive_numbers(value):
    check_positive("alpha", value)


@pytest.mark.parametrize("value", OUTSIDE)
def test_a_number_that_may_be_zero(value):
    message = f"`alpha` must be at least 0 and finite, found {value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        check_not_negative("alpha", value)


@pytest.mark.parametrize("value", [0, 0.0, *OUTSIDE])
def test_a_number_above_zero(value):
    message = f"`alpha` must be positive and finite, found {value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        check_positive("alpha", value)


@pytest.mark.parametrize("value", [1, 10**9, np.int64(2)])
def test_whole_numbers(value):
    check_whole("number", value, 1)


@pytest.mark.parametrize("value", [0, -1, 1.0, math.nan, *NO_NUMBERS])
def test_other_numbers(value):
    message = f"`number` must be a whole number, at least 1, found {value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        check_whole("number", value, 1)


@pytest.mark.parametrize("value", [0, 0.0, Fraction(1, 3), np.float32(0.5), 1.5])
def test_numbers_in_a_range(value):
    check_in_range("share", value, 0.0, 1.5)


@pytest.mark.parametrize("value", [-1e-9, 1.5 + 1e-9, math.inf, math.nan, *NO_NUMBERS])
def test_numbers_outside_of_a_range(value):
    with pytest.raises(
        ValueError, match=re.escape(f"`share` must be in [0, 1.5], found {value!r}")
    ):
        check_in_range("share", value, 0.0, 1.5)


@pytest.mark.parametrize(("value", "high", "words"), [(1, 1.0, "1"), (math.inf, math.inf, "inf")])
def test_a_range_without_its_end(value, high, words):
    with pytest.raises(ValueError, match=re.escape(f"`share` must be in [0, {words}), found")):
        check_in_range("share", value, 0.0, high, open_above=True)
