"""What a search may vary, and how it is read."""

import pytest

from avalanche_emgd.experiments.sweep.space import Choices, Range, parse_space
from tests.experiments.sweep.searches import EVERY_KIND


def test_ranges_and_choices():
    space = parse_space({**EVERY_KIND, "steps": {"low": 1, "high": 9, "int": True}})
    assert space["decay"] == Range(0.0, 0.9)
    assert space["learning_rate"] == Range(0.001, 0.1, log=True)
    assert space["steps"] == Range(1, 9, whole=True)
    assert space["optimizer"] == Choices(("adam", "sgd"))
    assert {name: parse_space({name: each.to_plain()})[name] for name, each in space.items()} == (
        space
    )
    assert [type(end) for end in space["decay"].ends] == [float, float]
    assert space["steps"].ends == (1, 9)
    assert Range(2.0, 2.0).ends == (2.0,)


def test_what_optuna_draws_becomes_the_value():
    pytest.importorskip("optuna")
    each = parse_space(EVERY_KIND)["memory_editing"]
    assert [each.value(drawn) for drawn in each.distribution().choices] == list(each.values)
    whole = parse_space({"steps": {"low": 1, "high": 9, "int": True, "log": True}})["steps"]
    distribution = whole.distribution()
    assert (distribution.low, distribution.high, distribution.log) == (1, 9, True)
    assert isinstance(distribution.low, int)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (3, "`search` of 'x' must be a range"),
        ([1, 2], "`search` of 'x' must be a range"),
        ({}, "has no `low`"),
        ({"low": 1.0}, "has no `high`"),
        ({"low": 0.1, "high": 1.0, "hi": 2}, "unknown key 'hi'.* Did you mean 'high'"),
        ({"low": 2.0, "high": 1.0}, "`low` of 2.0, above its `high` of 1.0"),
        ({"low": 0.0, "high": 1.0, "log": True}, "`low` must be positive, found 0.0"),
        ({"low": 0, "high": 1}, "say int: true for whole numbers, or write 0.0 and 1.0"),
        ({"low": 0.5, "high": 2, "int": True}, "must have a whole number as `low`, found 0.5"),
        ({"low": "3e-3", "high": 1.0}, "must have a number as `low`, found '3e-3' .YAML takes"),
        ({"low": True, "high": 2.0}, "must have a number as `low`, found True"),
        ({"low": float("nan"), "high": 2.0}, "must have a number as `low`, found nan"),
        ({"low": 0.1, "high": float("inf")}, "must have a number as `high`, found inf"),
        ({"low": 1, "high": 10**30, "int": True}, "a `high` that is too large"),
        ({"low": 0.1, "high": 1.0, "log": "yes"}, "must have true or false as `log`"),
        ({"low": 1, "high": 2, "int": 1}, "must have true or false as `int`"),
        ({"choices": "adam"}, "must have a list of 1 to 1000 `choices`, found 'adam'"),
        ({"choices": []}, "must have a list of 1 to 1000 `choices`"),
        ({"choices": [1, 2, 1]}, "has the choice 1 twice"),
        ({"choices": [1, True]}, "has the choice True twice"),
        ({"choices": [{"a": 1, "b": 2}, {"b": 2, "a": 1}]}, "twice"),
        ({"choices": [float("nan")]}, "must have `choices` that are numbers"),
        ({"choices": [object()]}, "must have `choices` that are numbers"),
        ({"choices": [1], "low": 0.1}, "has `choices` and 'low': give one of the two"),
    ],
)
def test_wrong_entries(entry, message):
    with pytest.raises(ValueError, match=message):
        parse_space({"x": entry})


@pytest.mark.parametrize("search", [None, [], {}, "decay", {3: {"low": 0.1, "high": 1.0}}])
def test_wrong_searches(search):
    with pytest.raises(ValueError, match="`search` must"):
        parse_space(search)
