import re
from fractions import Fraction

import numpy as np
import pytest

from avalanche_emgd.training.ingredients._checks import check_at_least_one, check_not_negative


@pytest.mark.parametrize("value", [0, 0.0, 1e300, 5, Fraction(1, 3), np.float32(0.5), np.int64(2)])
def test_numbers_that_are_not_negative(value):
    check_not_negative("alpha", value)


@pytest.mark.parametrize("value", [-1, -1e-9, float("inf"), float("nan"), True, "1", None, 1j])
def test_other_values_are_refused(value):
    message = f"`alpha` must be at least 0 and finite, found {value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        check_not_negative("alpha", value)


@pytest.mark.parametrize("value", [1, 10**9, np.int64(2)])
def test_whole_numbers(value):
    check_at_least_one("number", value)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", None, float("nan")])
def test_other_numbers_are_refused(value):
    message = f"`number` must be a whole number, at least 1, found {value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        check_at_least_one("number", value)
