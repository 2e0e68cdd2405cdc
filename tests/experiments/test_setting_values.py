import re

import pytest

from tests.experiments.toy_settings import Toy


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("whole", 1, "at least 2, found 1."),
        ("whole", 6, "at most 5, found 6."),
        ("whole", 2.0, "a whole number, found 2.0."),
        ("whole", None, "a whole number, found None."),
        ("above", 1, "greater than 1 and finite, found 1.0."),
        ("above", float("inf"), "greater than 1 and finite, found inf."),
        ("below", 1.0, "less than 1 and finite, found 1.0."),
        ("most", 1.5, "at most 1 and finite, found 1.5."),
        ("half_open", 1.0, "in [0, 1), found 1.0."),
        ("half_open", float("nan"), "in [0, 1), found nan."),
        ("any_number", 10**400, "finite, found inf."),
        ("any_number", True, "a number, found True."),
        ("choice", "lefd", "one of left, right, found 'lefd'. Did you mean 'left'?"),
        ("choice", 1, "text, found 1."),
        ("flag", 1, "true or false, found 1."),
    ],
)
def test_values_out_of_range(name, value, words):
    with pytest.raises(ValueError, match=re.escape(f"`{name}` must be {words}")):
        Toy(**{name: value})
